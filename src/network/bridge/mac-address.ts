/** Hardware addresses of endpoints. Pure. */
import { ipv4Bytes } from '../../sys/netlink/ipv4.ts';

/** The locally administered prefix that Docker uses. */
const PREFIX = '02:42';
const MAC_ADDRESS = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** The address that belongs to an IPv4 address, so that neighbours' caches stay right when it is used again. */
export function macOfAddress(address: number): string {
  const pairs = ipv4Bytes(address).toString('hex').match(/../g) ?? [];
  return [PREFIX, ...pairs].join(':');
}

/** Lower case with colons; undefined unless `text` is six bytes and names a single interface. */
export function parseMacAddress(text: string): string | undefined {
  const normal = text.toLowerCase().replaceAll('-', ':');
  if (!MAC_ADDRESS.test(normal)) return undefined;
  const isMulticast = (Number.parseInt(normal.slice(0, 2), 16) & 1) === 1;
  return isMulticast || normal === '00:00:00:00:00:00' ? undefined : normal;
}
