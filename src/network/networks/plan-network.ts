/** Turns a request for a network into the record of one, or says why not. Pure. */
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
import { chooseFreeSubnet } from '../ipam/choose-prefix.ts';
import {
  invalidGateway,
  invalidIpRange,
  invalidNetworkOption,
  invalidSubnet,
  poolOverlap,
} from '../network-errors.ts';
import type { NetworkRecord, NetworkSpec } from '../network-record.ts';

/** What the plan has to respect. */
export interface NetworkSurroundings {
  readonly id: NetworkId;
  readonly createdAt: string;
  /** Subnets of the other networks, which nothing may overlap. */
  readonly subnets: readonly string[];
  /** Networks around us that an automatic choice stays clear of. */
  readonly occupied: readonly string[];
}

const MTU = 'com.docker.network.driver.mtu';
const BRIDGE_NAME = 'com.docker.network.bridge.name';
const ICC = 'com.docker.network.bridge.enable_icc';
/** Names that the kernel takes for an interface. */
const INTERFACE_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,14}$/;

/** The record of a new network with subnet and gateway chosen. `forbidden` or `invalid-argument` otherwise. */
export function planNetwork(spec: NetworkSpec, around: NetworkSurroundings): NetworkRecord {
  checkOptions(spec.options);
  const subnet = planSubnet(spec, around);
  const gateway = planGateway(spec, subnet);
  checkRange(spec.ipRange, subnet);
  for (const [name, address] of Object.entries(spec.auxAddresses)) {
    if (!contains(subnet, parseIpv4(address))) throw invalidIpRange(name, address, text(subnet));
  }
  const { name, options, ipamOptions, labels, internal, attachable, auxAddresses } = spec;
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
    options,
    ipamOptions,
    labels,
    internal,
    attachable,
  };
}

/** The MTU that a network's options ask for; undefined for none. */
export function mtuOf(options: Readonly<Record<string, string>>): number | undefined {
  const value = options[MTU];
  return value === undefined ? undefined : Number(value);
}

/** The interface name of a network's bridge. */
export function bridgeNameOf(record: Pick<NetworkRecord, 'id' | 'options'>): string {
  return record.options[BRIDGE_NAME] || `br-${record.id.slice(0, 12)}`;
}

/** False when the members of a network may not reach each other. */
export function allowsNeighbours(options: Readonly<Record<string, string>>): boolean {
  return options[ICC] === undefined || isTrue(options[ICC]);
}

const isTrue = (value: string) => ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value);
const isFalse = (value: string) => ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value);

function checkOptions(options: Readonly<Record<string, string>>): void {
  const { [MTU]: mtu, [BRIDGE_NAME]: bridgeName, [ICC]: icc } = options;
  if (mtu !== undefined && !(/^\d{1,5}$/.test(mtu) && Number(mtu) >= 68 && Number(mtu) <= 65535)) {
    throw invalidNetworkOption(MTU, mtu);
  }
  if (bridgeName !== undefined && bridgeName !== '' && !INTERFACE_NAME.test(bridgeName)) {
    throw invalidNetworkOption(BRIDGE_NAME, bridgeName);
  }
  if (icc !== undefined && !isTrue(icc) && !isFalse(icc)) throw invalidNetworkOption(ICC, icc);
}

function planSubnet(spec: NetworkSpec, around: NetworkSurroundings): Ipv4Prefix {
  if (spec.subnet === undefined) return chooseFreeSubnet([...around.subnets, ...around.occupied]);
  const subnet = parsePrefix(spec.subnet);
  if (subnet === undefined || subnet.prefixLength > 30 || subnet.prefixLength < 1) {
    throw invalidSubnet(spec.subnet);
  }
  if (subnet.address !== networkOf(subnet).address) {
    throw invalidSubnet(spec.subnet, formatPrefix(networkOf(subnet)));
  }
  const others = around.subnets.map(parsePrefix).filter((prefix) => prefix !== undefined);
  if (others.some((other) => prefixesOverlap(other, subnet))) throw poolOverlap();
  return subnet;
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
