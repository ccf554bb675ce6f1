/** The way out of the machine's network namespace: which helper leads there, started, adopted and restarted. */
import { messageOf } from '../../shared/errors.ts';
import { isAlive } from '../../sys/proc/process-identity.ts';
import type { MachineRecord } from '../machine-record.ts';
import { endProcess } from '../process-end.ts';
import type { Anchor } from './anchor.ts';
import { findProcessesWithArgument } from './leftovers.ts';
import { pastaUplink } from './pasta-uplink.ts';
import { slirpUplink } from './slirp-uplink.ts';
import type { StartedUplink, UplinkDriver, UsableHelper } from './uplink-driver.ts';

/** What is needed to start a helper. */
export interface UplinkParts {
  /** The helper that was asked for, or whichever is there. */
  readonly choice: 'auto' | UplinkDriver['name'];
  /** Absolute paths of the helpers; undefined for those that are not installed. */
  readonly programs: Readonly<Record<UplinkDriver['name'], string | undefined>>;
  readonly apiSocketPath: string;
  readonly pidPath: string;
  readonly logPath: string;
  /** Whether the device for tap interfaces can be opened by this user. */
  readonly tunAccessible: boolean;
  /** Whether the host has a default route for IPv6. */
  readonly ipv6: boolean;
}

/** The packages of the helpers. */
const PACKAGES = { slirp4netns: 'slirp4netns', pasta: 'passt' } as const;
/** In the order in which they are tried when none was asked for. */
const PREFERENCE = ['slirp4netns', 'pasta'] as const;

/** The helper to start, or why there is no uplink. Slow (two processes): ask early and in parallel. */
export async function detectUplink(parts: UplinkParts): Promise<UsableHelper | string> {
  const { choice, tunAccessible } = parts;
  const driver = driverFor(parts);
  if (driver === undefined) {
    const name = choice === 'auto' ? PREFERENCE[0] : choice;
    return `${name} is not installed: install the package ${PACKAGES[name]}`;
  }
  if (!tunAccessible) {
    return '/dev/net/tun cannot be opened: load the module tun and allow this user to open the device';
  }
  return await driver.detect().catch(messageOf);
}

/**
 * Starts the helper for the anchor's namespaces. Never rejects for one that cannot be used: containers that reach
 * little are better than no containers, and the facts say why.
 */
export async function startUplink(
  anchor: Anchor,
  helper: UsableHelper | string,
): Promise<StartedUplink> {
  if (typeof helper === 'string') return { facts: { driver: 'none', reason: helper } };
  try {
    return await helper.start(anchor);
  } catch (error) {
    return { facts: { driver: 'none', reason: messageOf(error) } };
  }
}

/**
 * The uplink that an earlier host started, when it is of the kind wanted now, runs and answers. Any other is ended, also
 * one whose host died before it was on record: its interface would be in the way of the next.
 */
export async function usableUplink(
  parts: UplinkParts,
  uplink: MachineRecord['uplink'],
): Promise<StartedUplink | undefined> {
  if (uplink !== undefined && (await isUsable(parts, uplink))) return uplink;
  if (uplink?.process !== undefined) await endProcess(uplink.process, 0);
  const names = [`--api-socket=${parts.apiSocketPath}`, parts.pidPath];
  for (const stray of await findProcessesWithArgument(names)) await endProcess(stray, 0);
  return undefined;
}

async function isUsable(parts: UplinkParts, { process, facts }: StartedUplink): Promise<boolean> {
  if (process === undefined || !(await isAlive(process))) return false;
  const driver = driverFor(parts);
  return facts.driver !== 'none' && facts.driver === driver?.name && (await driver.answers(facts));
}

function driverFor(parts: UplinkParts): UplinkDriver | undefined {
  const names = parts.choice === 'auto' ? PREFERENCE : [parts.choice];
  for (const name of names) {
    const program = parts.programs[name];
    if (program === undefined) continue;
    const common = { ...parts, program };
    return name === 'pasta' ? pastaUplink(common) : slirpUplink(common);
  }
  return undefined;
}
