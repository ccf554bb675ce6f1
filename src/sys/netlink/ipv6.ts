/** IPv6 addresses as unsigned 128-bit numbers, and prefixes in CIDR notation. Pure. */
import { isIPv6 } from 'node:net';

/** A prefix: `address` keeps its host bits, `prefixLength` is 0 to 128. */
export interface Ipv6Prefix {
  readonly address: bigint;
  readonly prefixLength: number;
}

const BITS = 128;
const GROUPS = 8;

/** The number of an address, undefined for anything else, addresses with a zone included. */
export function parseIpv6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = canonical(text).split('::');
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: GROUPS - left.length - right.length }, () => '0');
  const digits = [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('');
  return BigInt(`0x${digits}`);
}

/** The shortest notation (RFC 5952). */
export function formatIpv6(value: bigint): string {
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? [];
  return canonical(groups.join(':'));
}

/** Parses `address/n`; undefined when either half is malformed. */
export function parseIpv6Prefix(text: string): Ipv6Prefix | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  if (slash < 0 || !/^[0-9]{1,3}$/.test(length) || Number(length) > BITS) return undefined;
  const address = parseIpv6(text.slice(0, slash));
  return address === undefined ? undefined : { address, prefixLength: Number(length) };
}

/** `address/n` with the host bits kept as they are. */
export function formatIpv6Prefix(prefix: Ipv6Prefix): string {
  return `${formatIpv6(prefix.address)}/${prefix.prefixLength}`;
}

/** The same prefix with its host bits cleared. */
export function ipv6NetworkOf({ address, prefixLength }: Ipv6Prefix): Ipv6Prefix {
  const hostBits = BigInt(BITS - prefixLength);
  return { address: (address >> hostBits) << hostBits, prefixLength };
}

/** Last address of the prefix. */
export function lastIpv6AddressOf(prefix: Ipv6Prefix): bigint {
  return ipv6NetworkOf(prefix).address | ((1n << BigInt(BITS - prefix.prefixLength)) - 1n);
}

/** True when the two prefixes share at least one address. */
export function ipv6PrefixesOverlap(left: Ipv6Prefix, right: Ipv6Prefix): boolean {
  const hostBits = BigInt(BITS - Math.min(left.prefixLength, right.prefixLength));
  return left.address >> hostBits === right.address >> hostBits;
}

/** The sixteen bytes of an address in network order. */
export function ipv6Bytes(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
}

/** A URL's host is always in the shortest notation, a dotted tail written as two groups. */
function canonical(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
