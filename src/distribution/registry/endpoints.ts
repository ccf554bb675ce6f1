/** Where the registry of a reference is reached, and by which protocols. */
import { isIPv4 } from 'node:net';
import { DEFAULT_DOMAIN } from '../../oci/reference.ts';

export interface EndpointSettings {
  /** `registry-mirrors`: base URLs tried before docker.io itself. */
  readonly mirrors: readonly string[];
  /** `insecure-registries`: `host`, `host:port` or an IPv4 `address/bits`. */
  readonly insecureRegistries: readonly string[];
}

/** One server; the first of its base URLs that answers is used. They end with a slash. */
export interface Endpoint {
  readonly bases: readonly URL[];
  readonly isMirror: boolean;
}

/** docker.io is a name in references only: its registry answers elsewhere. */
const DEFAULT_REGISTRY = 'https://registry-1.docker.io/';
const LOOPBACK_NETWORK = '127.0.0.0/8';

/** Servers to ask for repositories of `domain`, best first. Always at least one. */
export function endpointsOf(domain: string, settings: EndpointSettings): readonly Endpoint[] {
  if (domain === DEFAULT_DOMAIN) {
    const mirrors = settings.mirrors.map((mirror) => ({
      bases: [new URL(mirror.endsWith('/') ? mirror : `${mirror}/`)],
      isMirror: true,
    }));
    return [...mirrors, { bases: [new URL(DEFAULT_REGISTRY)], isMirror: false }];
  }
  const secure = new URL(`https://${domain}/`);
  const bases = isInsecure(secure, settings) ? [secure, new URL(`http://${domain}/`)] : [secure];
  return [{ bases, isMirror: false }];
}

/** True for loopback addresses and for what the user declared insecure: plain HTTP and any certificate will do. */
export function isInsecure(url: URL, settings: EndpointSettings): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host === '::1') return true;
  return [LOOPBACK_NETWORK, ...settings.insecureRegistries].some((entry) =>
    entry.includes('/') ? isInNetwork(host, entry) : isHost(url, entry),
  );
}

function isHost(url: URL, entry: string): boolean {
  if (entry === url.host || entry === url.hostname) return true;
  const usual = url.protocol === 'https:' ? '443' : '80';
  const port = url.port === '' ? usual : url.port;
  return entry === `${url.hostname}:${port}`;
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  if (!isIPv4(host) || !isIPv4(address)) return false;
  const shift = 32 - Number(bits);
  if (!(shift >= 0 && shift <= 32)) return false;
  return Math.floor(toNumber(host) / 2 ** shift) === Math.floor(toNumber(address) / 2 ** shift);
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
