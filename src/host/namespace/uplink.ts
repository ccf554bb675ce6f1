/** The way out of the machine's network namespace: one slirp4netns, started, adopted and restarted. */
import { closeSync } from 'node:fs';
import type { Uplink } from '../../handshake/host-facts.ts';
import { messageOf } from '../../shared/errors.ts';
import { SlirpControlSocket } from '../../slirp4netns/control-socket.ts';
import { detectSlirpFeatures, type SlirpFeatures } from '../../slirp4netns/features.ts';
import { type SlirpOptions, slirpAddresses } from '../../slirp4netns/options.ts';
import { startSlirp4netns } from '../../slirp4netns/process.ts';
import { identify, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { type Anchor, openExitPipe } from './anchor.ts';

/** A started uplink: what the engine is told, and the helper's process when there is one. */
export interface StartedUplink {
  readonly facts: Uplink;
  readonly process?: ProcessIdentity | undefined;
}

/** What is needed to start the helper. */
export interface UplinkParts {
  /** Absolute path of slirp4netns; undefined when it is not installed. */
  readonly program: string | undefined;
  readonly apiSocketPath: string;
  readonly logPath: string;
  /** Whether the device for tap interfaces can be opened by this user. */
  readonly tunAccessible: boolean;
}

const INTERFACE = 'tap0';
const CIDR = '10.0.2.0/24';
/** The largest frame slirp4netns takes is 65521 bytes; fewer, larger packets are what makes it fast. */
const MTU = 65_520;
const START_TIMEOUT_MS = 15_000;

/** What the installed helper can do, or why there is no uplink. Slow (two processes): ask early and in parallel. */
export async function detectUplink(parts: UplinkParts): Promise<SlirpFeatures | string> {
  if (parts.program === undefined) {
    return 'slirp4netns is not installed: install the package slirp4netns';
  }
  if (!parts.tunAccessible) {
    return '/dev/net/tun cannot be opened: load the module tun and allow this user to open the device';
  }
  try {
    return await detectSlirpFeatures(parts.program);
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Starts the helper for the anchor's namespaces. Never rejects for a helper that cannot be used: containers
 * without a way out are better than no containers, and the facts say why.
 */
export async function startUplink(
  parts: UplinkParts,
  anchor: Anchor,
  features: SlirpFeatures | string,
): Promise<StartedUplink> {
  if (typeof features === 'string' || parts.program === undefined) {
    return { facts: { driver: 'none', reason: String(features) } };
  }
  const options = slirpOptions(parts, anchor, features);
  try {
    const process = await start({ parts, anchor, features, options });
    return { facts: uplinkFacts(options, features.version, parts), process };
  } catch (error) {
    return { facts: { driver: 'none', reason: messageOf(error) } };
  }
}

/** True when the helper behind `facts` answers on its control socket. */
export async function uplinkAnswers(facts: Uplink): Promise<boolean> {
  if (facts.driver === 'none') return false;
  try {
    await new SlirpControlSocket(facts.apiSocketPath).listHostForwards();
    return true;
  } catch {
    return false;
  }
}

async function start(what: {
  parts: UplinkParts;
  anchor: Anchor;
  features: SlirpFeatures;
  options: SlirpOptions;
}): Promise<ProcessIdentity | undefined> {
  const exitFd = openExitPipe(what.anchor);
  try {
    const helper = await startSlirp4netns({
      file: what.parts.program ?? '',
      features: what.features,
      options: what.options,
      exitFd,
      logPath: what.parts.logPath,
      startTimeoutMs: START_TIMEOUT_MS,
    });
    helper.unref();
    return await identify(helper.pid);
  } finally {
    closeSync(exitFd);
  }
}

function slirpOptions(parts: UplinkParts, anchor: Anchor, features: SlirpFeatures): SlirpOptions {
  return {
    targetPid: anchor.process.pid,
    tapName: INTERFACE,
    mtu: MTU,
    cidr: CIDR,
    ipv6: false,
    disableHostLoopback: true,
    sandbox: true,
    // A build without libseccomp is still confined by the sandbox.
    seccomp: features.seccomp,
    apiSocketPath: parts.apiSocketPath,
  };
}

function uplinkFacts(options: SlirpOptions, version: string, parts: UplinkParts): Uplink {
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
    apiSocketPath: parts.apiSocketPath,
  };
}
