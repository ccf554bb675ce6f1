/** Options of one pasta and the argument list they become. Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import type { PastaFeatures } from './features.ts';
import { invalidPastaOption, pastaTooOld } from './pasta-errors.ts';

/** One family's addresses of the interface inside. */
export interface PastaAddresses {
  readonly address: string;
  /** The way out. It stands for nothing on the host. */
  readonly gateway: string;
}

/** What a pasta is started with. Ports are never forwarded, in no direction, and the host's loopback stays closed. */
export interface PastaOptions {
  /** A process in the namespaces to serve. */
  readonly targetPid: number;
  /** Name of the interface made inside, at most 15 bytes. */
  readonly interfaceName: string;
  /** Bytes, 68 to 65520. */
  readonly mtu: number;
  readonly ipv4: PastaAddresses & {
    readonly prefixLength: number;
    /** Queries sent to this address are forwarded to the host's resolver. */
    readonly nameserver: string;
  };
  /** Absent for IPv4 alone. The prefix is 64 bits long. */
  readonly ipv6?: PastaAddresses;
  /** The helper writes its process id there once all is set up. */
  readonly pidPath: string;
  readonly logPath: string;
}

const NAME = /^[A-Za-z0-9_.-]{1,15}$/;
const MIN_MTU = 68;
const MAX_MTU = 65520;

/** The argument list for these options. `unavailable` when the installed version lacks one, `invalid-argument` when they are wrong. */
export function pastaArguments(options: PastaOptions, features: PastaFeatures): readonly string[] {
  validate(options);
  requireFeatures(features);
  const { ipv4, ipv6 } = options;
  return [
    '--quiet',
    '--config-net',
    ...['--ns-ifname', options.interfaceName],
    ...['--mtu', String(options.mtu)],
    ...['--address', ipv4.address, '--netmask', String(ipv4.prefixLength)],
    ...['--gateway', ipv4.gateway, '--dns-forward', ipv4.nameserver],
    ...(ipv6 === undefined
      ? ['--ipv4-only']
      : ['--address', ipv6.address, '--gateway', ipv6.gateway]),
    // Neither the gateway nor a port inside leads to the host's loopback, and no port of the host leads inside.
    '--no-map-gw',
    ...['--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none'],
    ...['--pid', options.pidPath, '--log-file', options.logPath],
    String(options.targetPid),
  ];
}

function validate(options: PastaOptions): void {
  const { mtu, interfaceName, targetPid, ipv4, ipv6 } = options;
  if (!Number.isInteger(mtu) || mtu < MIN_MTU || mtu > MAX_MTU) {
    throw invalidPastaOption(`MTU ${mtu} is not between ${MIN_MTU} and ${MAX_MTU}`);
  }
  if (!NAME.test(interfaceName)) {
    throw invalidPastaOption(`"${interfaceName}" is not a name for a network interface`);
  }
  if (!Number.isInteger(targetPid) || targetPid < 1) {
    throw invalidPastaOption(`${targetPid} is not a process id`);
  }
  for (const address of [ipv4.address, ipv4.gateway, ipv4.nameserver]) {
    if (!isIPv4(address)) throw invalidPastaOption(`"${address}" is not an IPv4 address`);
  }
  for (const address of ipv6 === undefined ? [] : [ipv6.address, ipv6.gateway]) {
    if (!isIPv6(address)) throw invalidPastaOption(`"${address}" is not an IPv6 address`);
  }
}

/** All of them are needed: a version without the last one would open the host's loopback. */
function requireFeatures(features: PastaFeatures): void {
  const needs: readonly (readonly [boolean, string])[] = [
    [features.configuresNetwork, '--config-net'],
    [features.namesInterface, '--ns-ifname'],
    [features.forwardsDns, '--dns-forward'],
    [features.closesHostLoopback, '--no-map-gw'],
  ];
  for (const [isPresent, option] of needs) if (!isPresent) throw pastaTooOld(option);
}
