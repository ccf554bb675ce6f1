/** Options of one slirp4netns and the argument list they become. Pure. */
import { isIPv4 } from 'node:net';
import type { SlirpFeatures } from './features.ts';
import { invalidSlirpOption, slirpTooOld } from './slirp-errors.ts';

/** What a slirp4netns is started with. */
export interface SlirpOptions {
  /**
   * A process in the namespaces to serve. Paths of namespaces would do too, but not together with the sandbox:
   * given paths, version 1.2 does not enter the user namespace in which it would have to make it.
   */
  readonly targetPid: number;
  /** Name of the interface made inside, at most 15 bytes. */
  readonly tapName: string;
  /** Bytes, 68 to 65521. */
  readonly mtu: number;
  /** IPv4 network of the interface, prefix length 1 to 25, e.g. `10.0.2.0/24`. */
  readonly cidr: string;
  /** Serve IPv6 too (fd00::/64). */
  readonly ipv6: boolean;
  /** Refuse connections from inside to the host's own loopback addresses. */
  readonly disableHostLoopback: boolean;
  /** Own mount namespace with nothing in it, and no capabilities. */
  readonly sandbox: boolean;
  /** Allow only the system calls that it needs. */
  readonly seccomp: boolean;
  /** Unix socket for the control protocol; absent for none. */
  readonly apiSocketPath?: string;
}

/** Descriptor numbers inside the helper. */
export interface SlirpDescriptors {
  readonly readyFd: number;
  readonly exitFd: number;
}

/** Addresses that slirp4netns gives to the parts of its network; the last byte is fixed by the program. */
export interface SlirpAddresses {
  /** The interface inside: x.x.x.100. */
  readonly guest: string;
  /** The way out: x.x.x.2. */
  readonly gateway: string;
  /** Forwards to the host's resolvers: x.x.x.3. */
  readonly nameserver: string;
  readonly prefixLength: number;
}

const NAME = /^[A-Za-z0-9_.-]{1,15}$/;
const MIN_MTU = 68;
const MAX_MTU = 65521;

/** The argument list for these options. `unavailable` when the installed version lacks one, `invalid-argument` when they are wrong. */
export function slirpArguments(
  options: SlirpOptions,
  descriptors: SlirpDescriptors,
  features: SlirpFeatures,
): readonly string[] {
  validate(options);
  requireFeatures(options, features);
  const args = [
    '--configure',
    `--mtu=${options.mtu}`,
    `--cidr=${options.cidr}`,
    `--ready-fd=${descriptors.readyFd}`,
    `--exit-fd=${descriptors.exitFd}`,
  ];
  if (options.ipv6) args.push('--enable-ipv6');
  if (options.disableHostLoopback) args.push('--disable-host-loopback');
  if (options.sandbox) args.push('--enable-sandbox');
  if (options.seccomp) args.push('--enable-seccomp');
  if (options.apiSocketPath !== undefined) args.push(`--api-socket=${options.apiSocketPath}`);
  return [...args, String(options.targetPid), options.tapName];
}

/** The addresses inside a slirp network. `invalid-argument` when `cidr` is not one it accepts. */
export function slirpAddresses(cidr: string): SlirpAddresses {
  const { bytes, prefixLength } = parseCidr(cidr);
  const at = (host: number) => [...bytes.slice(0, 3), (bytes[3] ?? 0) + host].join('.');
  return { guest: at(100), gateway: at(2), nameserver: at(3), prefixLength };
}

function validate(options: SlirpOptions): void {
  parseCidr(options.cidr);
  if (!Number.isInteger(options.mtu) || options.mtu < MIN_MTU || options.mtu > MAX_MTU) {
    throw invalidSlirpOption(`MTU ${options.mtu} is not between ${MIN_MTU} and ${MAX_MTU}`);
  }
  if (!NAME.test(options.tapName)) {
    throw invalidSlirpOption(`"${options.tapName}" is not a name for a network interface`);
  }
  if (!Number.isInteger(options.targetPid) || options.targetPid < 1) {
    throw invalidSlirpOption(`${options.targetPid} is not a process id`);
  }
  const { apiSocketPath } = options;
  if (apiSocketPath !== undefined && !apiSocketPath.startsWith('/')) {
    throw invalidSlirpOption(`"${apiSocketPath}" is not an absolute path`);
  }
}

/** Prefixes longer than 25 leave no room for the fixed host numbers 2, 3 and 100. */
function parseCidr(cidr: string): {
  readonly bytes: readonly number[];
  readonly prefixLength: number;
} {
  const [address = '', prefix = ''] = cidr.split('/');
  const prefixLength = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 0;
  if (!isIPv4(address) || prefixLength < 1 || prefixLength > 25) {
    throw invalidSlirpOption(`"${cidr}" is not an IPv4 network with a prefix length of 1 to 25`);
  }
  const bytes = address.split('.').map(Number);
  const value = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (value % 2 ** (32 - prefixLength) !== 0) {
    throw invalidSlirpOption(`"${cidr}" has host bits set`);
  }
  return { bytes, prefixLength };
}

function requireFeatures(options: SlirpOptions, features: SlirpFeatures): void {
  const needs: readonly (readonly [boolean, boolean, string, string])[] = [
    [true, features.exitFd, '--exit-fd', '0.4.0'],
    [options.disableHostLoopback, features.disableHostLoopback, '--disable-host-loopback', '0.3.0'],
    [options.sandbox, features.sandbox, '--enable-sandbox', '0.4.0'],
    [options.seccomp, features.seccomp, '--enable-seccomp', '0.4.0'],
    [options.apiSocketPath !== undefined, features.apiSocket, '--api-socket', '0.3.0'],
    [options.ipv6, features.ipv6, '--enable-ipv6', '0.2.0'],
  ];
  for (const [wanted, present, option, version] of needs) {
    if (wanted && !present) throw slirpTooOld(option, version);
  }
}
