/** The uplink by pasta. */
import { detectPastaFeatures, type PastaFeatures } from '../../pasta/features.ts';
import type { PastaOptions } from '../../pasta/options.ts';
import { startPasta } from '../../pasta/process.ts';
import { slirpAddresses } from '../../slirp4netns/options.ts';
import { identify } from '../../sys/proc/process-identity.ts';
import type { Anchor } from './anchor.ts';
import {
  UPLINK_CIDR,
  UPLINK_INTERFACE,
  UPLINK_IPV6,
  UPLINK_MTU,
  UPLINK_START_TIMEOUT_MS,
} from './uplink-addresses.ts';
import type { UplinkDriver, UplinkFacts, UsableHelper } from './uplink-driver.ts';

/** Where the helper is and where its files go. */
export interface PastaUplinkParts {
  /** Absolute path of the program. */
  readonly program: string;
  readonly pidPath: string;
  readonly logPath: string;
  /** Whether the host has IPv6 to lead to. */
  readonly ipv6: boolean;
}

/** A driver for the installed program. */
export function pastaUplink(parts: PastaUplinkParts): UplinkDriver {
  return {
    name: 'pasta',
    async detect(): Promise<UsableHelper> {
      const features = await detectPastaFeatures(parts.program);
      return { start: (anchor) => start(parts, features, anchor) };
    },
    // It has no control socket: a process that lives is all that can be seen.
    answers: () => Promise.resolve(true),
  };
}

async function start(parts: PastaUplinkParts, features: PastaFeatures, anchor: Anchor) {
  const options = pastaOptions(parts, anchor);
  const pid = await startPasta({
    file: parts.program,
    features,
    options,
    startTimeoutMs: UPLINK_START_TIMEOUT_MS,
  });
  return { facts: factsOf(options, features.version), process: await identify(pid) };
}

function pastaOptions(parts: PastaUplinkParts, anchor: Anchor): PastaOptions {
  const { guest, gateway, nameserver, prefixLength } = slirpAddresses(UPLINK_CIDR);
  return {
    targetPid: anchor.process.pid,
    interfaceName: UPLINK_INTERFACE,
    mtu: UPLINK_MTU,
    ipv4: { address: guest, gateway, nameserver, prefixLength },
    ...(parts.ipv6 ? { ipv6: UPLINK_IPV6 } : {}),
    pidPath: parts.pidPath,
    logPath: parts.logPath,
  };
}

function factsOf({ ipv4, ...options }: PastaOptions, version: string): UplinkFacts {
  return {
    driver: 'pasta',
    version,
    interfaceName: options.interfaceName,
    cidr: UPLINK_CIDR,
    address: ipv4.address,
    gateway: ipv4.gateway,
    nameserver: ipv4.nameserver,
    mtu: options.mtu,
    ipv6: options.ipv6 !== undefined,
  };
}
