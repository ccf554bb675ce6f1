/** The uplink by slirp4netns. */
import { closeSync } from 'node:fs';
import { SlirpControlSocket } from '../../slirp4netns/control-socket.ts';
import { detectSlirpFeatures, type SlirpFeatures } from '../../slirp4netns/features.ts';
import { type SlirpOptions, slirpAddresses } from '../../slirp4netns/options.ts';
import { startSlirp4netns } from '../../slirp4netns/process.ts';
import { identify } from '../../sys/proc/process-identity.ts';
import { acceptRouterAdvertisements } from './accept-advertisements.ts';
import { type Anchor, openExitPipe } from './anchor.ts';
import {
  UPLINK_CIDR,
  UPLINK_INTERFACE,
  UPLINK_MTU,
  UPLINK_START_TIMEOUT_MS,
} from './uplink-addresses.ts';
import type { UplinkDriver, UplinkFacts, UsableHelper } from './uplink-driver.ts';

/** Where the helper is and where its files go. */
export interface SlirpUplinkParts {
  /** Absolute path of the program. */
  readonly program: string;
  readonly apiSocketPath: string;
  readonly logPath: string;
  /** Whether the host has IPv6 to lead to. */
  readonly ipv6: boolean;
}

/** A driver for the installed program. */
export function slirpUplink(parts: SlirpUplinkParts): UplinkDriver {
  return {
    name: 'slirp4netns',
    async detect(): Promise<UsableHelper> {
      const features = await detectSlirpFeatures(parts.program);
      return { start: (anchor) => start(parts, features, anchor) };
    },
    async answers({ apiSocketPath }): Promise<boolean> {
      if (apiSocketPath === undefined) return false;
      return await new SlirpControlSocket(apiSocketPath).listHostForwards().then(
        () => true,
        () => false,
      );
    },
  };
}

async function start(parts: SlirpUplinkParts, features: SlirpFeatures, anchor: Anchor) {
  const options = slirpOptions(parts, features, anchor);
  // Before there is an interface: it takes the setting over when it is made.
  if (options.ipv6) await acceptRouterAdvertisements(anchor);
  const exitFd = openExitPipe(anchor);
  try {
    const helper = await startSlirp4netns({
      file: parts.program,
      features,
      options,
      exitFd,
      logPath: parts.logPath,
      startTimeoutMs: UPLINK_START_TIMEOUT_MS,
    });
    helper.unref();
    return { facts: factsOf(options, features.version), process: await identify(helper.pid) };
  } finally {
    closeSync(exitFd);
  }
}

function slirpOptions(
  parts: SlirpUplinkParts,
  features: SlirpFeatures,
  anchor: Anchor,
): SlirpOptions & { apiSocketPath: string } {
  return {
    targetPid: anchor.process.pid,
    tapName: UPLINK_INTERFACE,
    mtu: UPLINK_MTU,
    cidr: UPLINK_CIDR,
    ipv6: parts.ipv6 && features.ipv6,
    disableHostLoopback: true,
    sandbox: true,
    // A build without libseccomp is still confined by the sandbox.
    seccomp: features.seccomp,
    apiSocketPath: parts.apiSocketPath,
  };
}

function factsOf(options: SlirpOptions & { apiSocketPath: string }, version: string): UplinkFacts {
  const addresses = slirpAddresses(options.cidr);
  return {
    driver: 'slirp4netns',
    version,
    interfaceName: options.tapName,
    cidr: options.cidr,
    address: addresses.guest,
    gateway: addresses.gateway,
    nameserver: addresses.nameserver,
    mtu: options.mtu,
    ipv6: options.ipv6,
    apiSocketPath: options.apiSocketPath,
  };
}
