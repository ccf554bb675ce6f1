/** IPv4 addresses as unsigned 32-bit numbers, and prefixes in CIDR notation. Pure. */

/** A prefix: `address` keeps its host bits, `prefixLength` is 0 to 32. */
export interface Ipv4Prefix {
  readonly address: number;
  readonly prefixLength: number;
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;

/** The number of a dotted quad, undefined for anything else (leading zeros are refused: they are read as octal elsewhere). */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    const octet = OCTET.test(part) ? Number(part) : 256;
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

/** Dotted quad of an unsigned 32-bit number. */
export function formatIpv4(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** Parses `a.b.c.d/n`; undefined when either half is malformed. */
export function parsePrefix(text: string): Ipv4Prefix | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  if (slash < 0 || !/^[0-9]{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const address = parseIpv4(text.slice(0, slash));
  return address === undefined ? undefined : { address, prefixLength: Number(length) };
}

/** `a.b.c.d/n` with the host bits kept as they are. */
export function formatPrefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.address)}/${prefix.prefixLength}`;
}

/** The mask of a prefix length as an unsigned number. */
export function maskOf(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** The same prefix with its host bits cleared. */
export function networkOf(prefix: Ipv4Prefix): Ipv4Prefix {
  return {
    address: (prefix.address & maskOf(prefix.prefixLength)) >>> 0,
    prefixLength: prefix.prefixLength,
  };
}

/** Last address of the prefix (its broadcast address where it has one). */
export function lastAddressOf(prefix: Ipv4Prefix): number {
  return (networkOf(prefix).address | ~maskOf(prefix.prefixLength)) >>> 0;
}

/** True when the two prefixes share at least one address. */
export function prefixesOverlap(left: Ipv4Prefix, right: Ipv4Prefix): boolean {
  const mask = maskOf(Math.min(left.prefixLength, right.prefixLength));
  return (left.address & mask) >>> 0 === (right.address & mask) >>> 0;
}

/** The four bytes of an address in network order. */
export function ipv4Bytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
