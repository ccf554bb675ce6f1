/** The IPv6 addresses of a new network, as asked for or chosen. Pure. */
import { createHash } from 'node:crypto';
import {
  formatIpv6,
  formatIpv6Prefix,
  type Ipv6Prefix,
  ipv6NetworkOf,
  ipv6PrefixesOverlap,
  lastIpv6AddressOf,
  parseIpv6,
  parseIpv6Prefix,
} from '../../sys/netlink/ipv6.ts';
import {
  invalidGateway,
  invalidIpRange,
  invalidSubnet,
  poolOverlap,
  poolsExhausted,
} from '../network-errors.ts';
import type { AddressPlan, AddressWishes } from '../network-record.ts';

/** What the plan has to respect. */
export interface Ipv6Surroundings {
  /** IPv6 subnets of the other networks. */
  readonly subnets: readonly string[];
  /** Pools that subnets are cut from; that of this machine when there is none. */
  readonly pools: readonly Ipv6AddressPool[];
}

/** A range that is cut into networks with a prefix of `size` bits. */
interface Ipv6AddressPool {
  readonly base: Ipv6Prefix;
  readonly size: number;
}

/** A link of hosts has 64 bits for them. */
const LINK_BITS = 64;
const SITE_BITS = 48;
/** So many subnets of a pool are looked at: more networks than a machine can have. */
const MAX_CANDIDATES = 65_536;

/** A range of unique local addresses (RFC 4193) whose random part belongs to `seed`. */
export function uniqueLocalPool(seed: string): Ipv6AddressPool {
  const site = createHash('sha256').update(seed).digest('hex').slice(0, 10);
  const address = BigInt(`0xfd${site}`) << BigInt(128 - SITE_BITS);
  return { base: { address, prefixLength: SITE_BITS }, size: LINK_BITS };
}

/** Subnet and gateway. `forbidden` for an overlap, `invalid-argument` for addresses that make no sense. */
export function planIpv6(wishes: AddressWishes, around: Ipv6Surroundings): AddressPlan {
  const others = around.subnets.map(parseIpv6Prefix).filter((prefix) => prefix !== undefined);
  const subnet =
    wishes.subnet === undefined ? chooseSubnet(around.pools, others) : givenSubnet(wishes.subnet);
  if (others.some((other) => ipv6PrefixesOverlap(other, subnet))) throw poolOverlap();
  const { ipRange, auxAddresses } = wishes;
  const text = formatIpv6Prefix(subnet);
  const range = ipRange === undefined ? undefined : rangeWithin(ipRange, subnet);
  for (const [name, address] of Object.entries(auxAddresses)) {
    if (!contains(subnet, parseIpv6(address))) throw invalidIpRange(name, address, text);
  }
  const gateway = planGateway(wishes, subnet, range ?? subnet);
  return {
    subnet: text,
    gateway: formatIpv6(gateway),
    ...(ipRange === undefined ? {} : { ipRange }),
    auxAddresses,
    subnetChosen: wishes.subnet !== undefined,
  };
}

function givenSubnet(text: string): Ipv6Prefix {
  const subnet = parseIpv6Prefix(text);
  if (subnet === undefined || subnet.prefixLength < 1 || subnet.prefixLength > 126) {
    throw invalidSubnet(text);
  }
  const network = ipv6NetworkOf(subnet);
  if (network.address !== subnet.address) throw invalidSubnet(text, formatIpv6Prefix(network));
  return subnet;
}

function chooseSubnet(
  pools: readonly Ipv6AddressPool[],
  others: readonly Ipv6Prefix[],
): Ipv6Prefix {
  for (const { base, size } of pools) {
    const step = 1n << BigInt(128 - size);
    const last = lastIpv6AddressOf(base);
    let { address } = ipv6NetworkOf(base);
    for (let tried = 0; address <= last && tried < MAX_CANDIDATES; tried++, address += step) {
      const candidate = { address, prefixLength: size };
      if (!others.some((other) => ipv6PrefixesOverlap(other, candidate))) return candidate;
    }
  }
  throw poolsExhausted();
}

function planGateway(wishes: AddressWishes, subnet: Ipv6Prefix, base: Ipv6Prefix): bigint {
  if (wishes.gateway !== undefined) {
    const gateway = parseIpv6(wishes.gateway);
    if (gateway === undefined || !contains(subnet, gateway)) {
      throw invalidGateway(wishes.gateway, formatIpv6Prefix(subnet));
    }
    return gateway;
  }
  const reserved = new Set(Object.values(wishes.auxAddresses).map(parseIpv6));
  const first = ipv6NetworkOf(base).address;
  let gateway = first === subnet.address ? first + 1n : first;
  while (reserved.has(gateway)) gateway++;
  return gateway;
}

function rangeWithin(text: string, subnet: Ipv6Prefix): Ipv6Prefix {
  const range = parseIpv6Prefix(text);
  const isInside =
    range !== undefined &&
    contains(subnet, range.address) &&
    range.prefixLength >= subnet.prefixLength;
  if (!isInside) throw invalidIpRange('ip-range', text, formatIpv6Prefix(subnet));
  return range;
}

function contains(subnet: Ipv6Prefix, address: bigint | undefined): boolean {
  return address !== undefined && address >= subnet.address && address <= lastIpv6AddressOf(subnet);
}
