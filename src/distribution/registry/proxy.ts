/**
 * HTTP proxies on the way to registries, by the usual variables (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`) as Go's
 * programs read them: golang.org/x/net/http/httpproxy documents the rules.
 */
import { request } from 'node:http';
import { BlockList, isIP, type Socket } from 'node:net';
import { badProxy, proxyRefused } from './connection-errors.ts';

export interface ProxySettings {
  /** Proxy for `http:` URLs; empty for none. */
  readonly httpProxy: string;
  /** Proxy for `https:` URLs; empty for none. */
  readonly httpsProxy: string;
  /** Hosts, domains (`.example.com`), addresses and networks that are reached directly, apart by commas; `*` for all. */
  readonly noProxy: string;
}

/** The proxy that `url` is reached through; undefined: directly. `invalid-argument` for a setting that is no proxy. */
export function proxyFor(url: URL, settings: ProxySettings): URL | undefined {
  const text = url.protocol === 'https:' ? settings.httpsProxy : settings.httpProxy;
  if (text === '' || isExcepted(url, settings.noProxy)) return undefined;
  const withScheme = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(withScheme)) throw badProxy(text, 'it is not a URL');
  const proxy = new URL(withScheme);
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw badProxy(
      text,
      `scheme ${proxy.protocol.slice(0, -1)} is not supported, only http and https`,
    );
  }
  return proxy;
}

/** The port of a URL, also where it is the usual one and not written. */
export function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** The header with which the proxy knows its users. */
export function proxyCredentials(proxy: URL): Readonly<Record<string, string>> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** Asks the proxy at the other end of `socket` for a tunnel (RFC 9110, 9.3.6). The socket is destroyed on failure. */
export function openTunnel(
  socket: Socket,
  proxy: URL,
  target: { readonly host: string; readonly port: number },
): Promise<Socket> {
  const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`;
  return new Promise((resolve, reject) => {
    const asking = request({
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...proxyCredentials(proxy) },
      createConnection: () => socket,
    });
    const fail = (error: unknown) => {
      socket.destroy();
      reject(error);
    };
    asking.once('error', fail);
    asking.once('response', ({ statusCode = 0 }) => fail(proxyRefused(proxy, statusCode)));
    asking.once('connect', ({ statusCode = 0 }, tunnel: Socket, head) => {
      if (statusCode !== 200) {
        fail(proxyRefused(proxy, statusCode));
        return;
      }
      if (head.length > 0) tunnel.unshift(head);
      resolve(tunnel);
    });
    asking.end();
  });
}

/** Loopback is never asked of a proxy. */
function isExcepted(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost' || LOOPBACK.check(host, familyOf(host))) return true;
  const port = String(portOf(url));
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && excepts(entry, { host, port }));
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function excepts(entry: string, target: { readonly host: string; readonly port: string }): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInNetwork(target.host, entry);
  const [, name = entry, port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? '' : entry) ?? [];
  const wanted = (name === '' ? entry : name).replace(/^\[|\]$/g, '').replace(/^\*\./, '.');
  if (port !== undefined && port !== target.port) return false;
  if (isIP(wanted) !== 0) return wanted === target.host;
  const domain = wanted.startsWith('.') ? wanted : `.${wanted}`;
  return target.host.endsWith(domain) || (!wanted.startsWith('.') && target.host === wanted);
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/');
  if (isIP(host) === 0 || isIP(host) !== isIP(address)) return false;
  const longest = isIP(address) === 4 ? 32 : 128;
  if (!/^\d+$/.test(bits) || Number(bits) > longest) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), familyOf(address));
  return list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
