/** Which prefixes networks get. Pure. */
import type { SubnetPool } from '../../handshake/host-facts.ts';
import {
  formatPrefix,
  type Ipv4Prefix,
  lastAddressOf,
  networkOf,
  parsePrefix,
  prefixesOverlap,
} from '../../sys/netlink/ipv4.ts';
import { invalidBridgeAddress, noFreePool, poolsExhausted } from '../network-errors.ts';

/** Docker's local address pools, in its order. */
const DEFAULT_POOLS: readonly SubnetPool[] = [
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/16', size: 16 },
  { base: '172.19.0.0/16', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

/** What limits the choice. */
export interface PrefixDemand {
  /** Address and length the user asked for (`bip`); undefined leaves the choice to us. */
  readonly bridgeAddress: string | undefined;
  /** Subnet of an earlier choice, kept while it collides with nothing. */
  readonly preferred: string | undefined;
  /** Networks in use around us, as `a.b.c.d/n`; malformed ones are passed over. */
  readonly occupied: readonly string[];
  /** Pools to choose from, those of IPv6 are passed over; Docker's when there is none. */
  readonly pools?: readonly SubnetPool[];
}

/**
 * The bridge's own address with the length of its network: the one asked for, else the first address of the
 * earlier subnet or of the first pool entry that collides with nothing. `invalid-argument` for a bad `bip`, `conflict` when all pools
 * collide.
 */
export function choosePrefix(demand: PrefixDemand): Ipv4Prefix {
  if (demand.bridgeAddress !== undefined) return parseBridgeAddress(demand.bridgeAddress);
  const pools = ipv4Pools(demand.pools);
  const free = firstFree(demand.preferred, demand.occupied, pools);
  if (free === undefined) throw noFreePool(pools.map((pool) => pool.base));
  return { address: free.address + 1, prefixLength: free.prefixLength };
}

/**
 * The first subnet of the pools that collides with none of `occupied` (`a.b.c.d/n`). `invalid-argument` with
 * Docker's text without one.
 */
export function chooseFreeSubnet(
  occupied: readonly string[],
  pools?: readonly SubnetPool[],
): Ipv4Prefix {
  const free = firstFree(undefined, occupied, ipv4Pools(pools));
  if (free === undefined) throw poolsExhausted();
  return free;
}

function ipv4Pools(pools: readonly SubnetPool[] = []): readonly SubnetPool[] {
  const given = pools.filter(({ base }) => !base.includes(':'));
  return given.length === 0 ? DEFAULT_POOLS : given;
}

function firstFree(
  preferred: string | undefined,
  occupied: readonly string[],
  pools: readonly SubnetPool[],
): Ipv4Prefix | undefined {
  const prefixes = occupied
    .map(parsePrefix)
    // A default route covers everything and collides with nothing.
    .filter((prefix): prefix is Ipv4Prefix => prefix !== undefined && prefix.prefixLength > 0);
  for (const candidate of candidates(preferred, pools)) {
    if (!prefixes.some((prefix) => prefixesOverlap(prefix, candidate))) return candidate;
  }
  return undefined;
}

/** The network of a bridge address, as the API prints subnets. */
export function subnetOf(bridgeAddress: Ipv4Prefix): string {
  return formatPrefix(networkOf(bridgeAddress));
}

function parseBridgeAddress(text: string): Ipv4Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw invalidBridgeAddress(text, 'not an IPv4 address with a length');
  if (prefix.prefixLength > 30) throw invalidBridgeAddress(text, 'the network has no room');
  const isHost =
    prefix.address !== networkOf(prefix).address && prefix.address !== lastAddressOf(prefix);
  if (!isHost) throw invalidBridgeAddress(text, 'the address is the network itself');
  return prefix;
}

function* candidates(
  preferred: string | undefined,
  pools: readonly SubnetPool[],
): Generator<Ipv4Prefix> {
  const earlier = preferred === undefined ? undefined : parsePrefix(preferred);
  if (earlier !== undefined) yield networkOf(earlier);
  for (const pool of pools) {
    const base = parsePrefix(pool.base);
    if (base === undefined) continue;
    const step = 2 ** (32 - pool.size);
    for (let address = base.address; address <= lastAddressOf(base); address += step) {
      yield { address, prefixLength: pool.size };
    }
  }
}
