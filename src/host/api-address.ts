/** Addresses of the API as `-H` takes them. Pure. */
import { isIP } from 'node:net';
import { badApiAddress } from './host-errors.ts';

/** Where the API is served. */
export type ApiAddress =
  | { readonly scheme: 'unix'; readonly path: string; readonly text: string }
  | {
      readonly scheme: 'tcp';
      readonly hostIp: string;
      readonly port: number;
      readonly text: string;
    }
  /** Sockets inherited from systemd; `name` picks one, empty takes all. */
  | { readonly scheme: 'fd'; readonly name: string; readonly text: string };

/** dockerd's port for an API without TLS. */
const DEFAULT_TCP_PORT = 2375;

/** Parses one address. `invalid-argument` when it is of an unknown or unusable kind. */
export function parseApiAddress(text: string): ApiAddress {
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  switch (scheme) {
    case 'unix':
      return parseUnix(text, rest);
    case 'tcp':
      return parseTcp(text, rest);
    case 'fd':
      return { scheme: 'fd', name: rest === '*' ? '' : rest, text };
    case 'npipe':
      throw badApiAddress(text, 'named pipes exist on Windows only');
    case '':
      throw badApiAddress(text, 'it must begin with unix://, tcp:// or fd://');
    default:
      throw badApiAddress(text, `unknown scheme ${scheme}://`);
  }
}

/** True when anybody who reaches this machine can reach the address: worth a warning without TLS. */
export function isOpenToNetwork(address: ApiAddress): boolean {
  if (address.scheme !== 'tcp') return false;
  return !address.hostIp.startsWith('127.') && address.hostIp !== '::1';
}

function parseUnix(text: string, path: string): ApiAddress {
  if (!path.startsWith('/')) throw badApiAddress(text, 'the path must be absolute');
  if (path.includes('\0')) throw badApiAddress(text, 'the path contains a NUL character');
  return { scheme: 'unix', path, text };
}

function parseTcp(text: string, rest: string): ApiAddress {
  const [, bracketed, plain = '', portText] =
    /^(?:\[([^\]]*)\]|([^:/]*))(?::(\d+))?\/?$/.exec(rest) ?? [];
  const name = bracketed ?? plain;
  const hostIp = name === 'localhost' || name === '' ? '127.0.0.1' : name;
  const port = portText === undefined ? DEFAULT_TCP_PORT : Number(portText);
  if (isIP(hostIp) === 0) throw badApiAddress(text, `"${name}" is not an IP address`);
  if (port > 65_535) throw badApiAddress(text, `port ${port} is out of range`);
  return { scheme: 'tcp', hostIp, port, text };
}
