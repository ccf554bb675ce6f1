/** Turns a request for a network into the record of one, or says why not. Pure. */
import type { SubnetPool } from '../../handshake/host-facts.ts';
import type { NetworkId } from '../../shared/ids.ts';
import {
  formatIpv4,
  formatPrefix,
  type Ipv4Prefix,
  lastAddressOf,
  networkOf,
  parseIpv4,
  parsePrefix,
  prefixesOverlap,
} from '../../sys/netlink/ipv4.ts';
import { parseIpv6Prefix } from '../../sys/netlink/ipv6.ts';
import { chooseFreeSubnet } from '../ipam/choose-prefix.ts';
import {
  invalidGateway,
  invalidIpRange,
  invalidSubnet,
  poolOverlap,
  uplinkOverlap,
} from '../network-errors.ts';
import type { NetworkRecord, NetworkSpec } from '../network-record.ts';
import { checkNetworkOptions } from './network-options.ts';
import { type Ipv6Surroundings, planIpv6, uniqueLocalPool } from './plan-ipv6.ts';

/** What the plan has to respect. */
export interface NetworkSurroundings {
  readonly id: NetworkId;
  readonly createdAt: string;
  /** Subnets of the other networks, which nothing may overlap. */
  readonly subnets: readonly string[];
  /** Networks around us that an automatic choice stays clear of. */
  readonly occupied: readonly string[];
  /** The network of the way out: containers with its addresses would not find their way back. */
  readonly uplink?: string | undefined;
  /** Pools to choose subnets from; Docker's when there is none. */
  readonly pools?: readonly SubnetPool[];
  /** Makes the IPv6 subnets of this machine differ from those of others. */
  readonly seed: string;
}

/** The record of a new network with subnet and gateway chosen. `forbidden` or `invalid-argument` otherwise. */
export function planNetwork(spec: NetworkSpec, around: NetworkSurroundings): NetworkRecord {
  checkNetworkOptions(spec.options, { ipv6: spec.ipv6 !== undefined });
  const subnet = planSubnet(spec, around);
  const gateway = planGateway(spec, subnet);
  checkRange(spec.ipRange, subnet);
  for (const [name, address] of Object.entries(spec.auxAddresses)) {
    if (!contains(subnet, parseIpv4(address))) throw invalidIpRange(name, address, text(subnet));
  }
  const { name, options, ipamOptions, labels, internal, attachable, auxAddresses, ipv6 } = spec;
  return {
    id: around.id,
    name,
    driver: 'bridge',
    createdAt: around.createdAt,
    subnet: text(subnet),
    gateway: formatIpv4(gateway),
    ...(spec.ipRange === undefined ? {} : { ipRange: spec.ipRange }),
    auxAddresses,
    subnetChosen: spec.subnet !== undefined,
    ...(ipv6 === undefined ? {} : { ipv6: planIpv6(ipv6, ipv6Surroundings(around)) }),
    options,
    ...(ipamOptions === undefined ? {} : { ipamOptions }),
    labels,
    internal,
    attachable,
  };
}

function planSubnet(spec: NetworkSpec, around: NetworkSurroundings): Ipv4Prefix {
  if (spec.subnet === undefined) {
    return chooseFreeSubnet([...around.subnets, ...around.occupied], around.pools);
  }
  const subnet = parsePrefix(spec.subnet);
  if (subnet === undefined || subnet.prefixLength > 30 || subnet.prefixLength < 1) {
    throw invalidSubnet(spec.subnet);
  }
  if (subnet.address !== networkOf(subnet).address) {
    throw invalidSubnet(spec.subnet, formatPrefix(networkOf(subnet)));
  }
  const others = around.subnets.map(parsePrefix).filter((prefix) => prefix !== undefined);
  if (others.some((other) => prefixesOverlap(other, subnet))) throw poolOverlap();
  const uplink = around.uplink === undefined ? undefined : parsePrefix(around.uplink);
  // A larger network leaves the way out its more precise route.
  if (uplink && contains(uplink, subnet.address) && subnet.prefixLength >= uplink.prefixLength) {
    throw uplinkOverlap(text(subnet));
  }
  return subnet;
}

function ipv6Surroundings({ subnets, pools = [], seed }: NetworkSurroundings): Ipv6Surroundings {
  const given = pools.flatMap(({ base, size }) => {
    const prefix = parseIpv6Prefix(base);
    return prefix === undefined ? [] : [{ base: prefix, size }];
  });
  return { subnets, pools: given.length === 0 ? [uniqueLocalPool(seed)] : given };
}

function planGateway(spec: NetworkSpec, subnet: Ipv4Prefix): number {
  if (spec.gateway !== undefined) {
    const gateway = parseIpv4(spec.gateway);
    if (gateway === undefined || !contains(subnet, gateway)) {
      throw invalidGateway(spec.gateway, text(subnet));
    }
    return gateway;
  }
  // With a range, Docker takes the gateway from it like any other address.
  const range = spec.ipRange === undefined ? undefined : parsePrefix(spec.ipRange);
  const base = range === undefined ? subnet : networkOf(range);
  const reserved = new Set(Object.values(spec.auxAddresses).map(parseIpv4));
  let gateway = base.address === subnet.address ? base.address + 1 : base.address;
  while (reserved.has(gateway)) gateway++;
  return gateway;
}

function checkRange(ipRange: string | undefined, subnet: Ipv4Prefix): void {
  if (ipRange === undefined) return;
  const range = parsePrefix(ipRange);
  if (range === undefined || !contains(subnet, range.address)) {
    throw invalidIpRange('ip-range', ipRange, text(subnet));
  }
  if (range.prefixLength < subnet.prefixLength) {
    throw invalidIpRange('ip-range', ipRange, text(subnet));
  }
}

function contains(subnet: Ipv4Prefix, address: number | undefined): boolean {
  return address !== undefined && address >= subnet.address && address <= lastAddressOf(subnet);
}

const text = formatPrefix;
