/** Facts of the host machine that the engine needs and cannot see from inside. */
import { readFile } from 'node:fs/promises';
import type { ResolverFacts } from '../handshake/host-facts.ts';
import { isMissing } from '../sys/system-errors.ts';

/** The resolvers of the host; empty when there is no `/etc/resolv.conf`. */
export async function readResolver(): Promise<ResolverFacts> {
  return parseResolvConf(await readOrEmpty('/etc/resolv.conf'));
}

/** IPv4 networks the host has routes to, without the default route. */
export async function readHostRoutes(): Promise<readonly string[]> {
  return parseRouteTable(await readOrEmpty('/proc/net/route'));
}

/** Whether the host has a default route for IPv6. */
export async function hasIpv6Route(): Promise<boolean> {
  return hasDefaultRoute(await readOrEmpty('/proc/net/ipv6_route'));
}

/** Reads `/proc/net/ipv6_route`: the kernel's own refusal of all addresses is a route over `lo`. */
export function hasDefaultRoute(text: string): boolean {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(
      (fields) => /^0{32}$/.test(fields[0] ?? '') && fields[1] === '00' && fields.at(-1) !== 'lo',
    );
}

/** Parses resolv.conf(5): of several `search` or `domain` lines the last one counts. */
export function parseResolvConf(text: string): ResolverFacts {
  const facts = { nameservers: [] as string[], search: [] as string[], options: [] as string[] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && values[0] !== undefined) facts.nameservers.push(values[0]);
    if (keyword === 'search' || keyword === 'domain') facts.search = values;
    if (keyword === 'options') facts.options.push(...values);
  }
  return facts;
}

/** Parses `/proc/net/route`: addresses are hexadecimal in the machine's (little-endian) byte order. */
export function parseRouteTable(text: string): readonly string[] {
  const routes = text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [destination, mask] = [fields[1], fields[7]];
      if (destination === undefined || mask === undefined || mask === '00000000') return [];
      const bytes = Buffer.from(destination, 'hex').reverse();
      const bits = [...Buffer.from(mask, 'hex')].reduce((sum, byte) => sum + countBits(byte), 0);
      return [`${[...bytes].join('.')}/${bits}`];
    });
  return [...new Set(routes)];
}

function countBits(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
