/** What the engine's own process and namespaces allow containers, found out once at start. */
import { access, readFile } from 'node:fs/promises';
import { ownIdCounts } from '../../sys/idmap/own-ids.ts';
import { listMounts } from '../../sys/mount/mount-table.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { LimitSupport } from '../limit-support.ts';
import { capabilitiesOfMask } from './capabilities.ts';

/** Facts of this machine that shape every container. */
export interface SpecFacts {
  /** `process.arch`. */
  readonly architecture: string;
  /** Capabilities that we hold in our user namespace and can hand on. */
  readonly capabilities: readonly string[];
  /** How many ids are mapped from 0 on; 1 under a one-id map. */
  readonly mappedUids: number;
  readonly mappedGids: number;
  /** Our own score, below which no process of ours can go. */
  readonly oomScoreAdj: number;
  /** Hard limits by their names in `/proc/self/limits`; `Infinity` for unlimited. */
  readonly hardLimits: ReadonlyMap<string, number>;
  /** The only sysfs that we see is read-only: the kernel then refuses writable ones. */
  readonly sysIsReadOnly: boolean;
  /** The kernel has the sysctl for unprivileged pings. */
  readonly hasPingRange: boolean;
  /** Directories of our IPC namespace that can be shown to containers which share it. */
  readonly ipcDirs: readonly string[];
  /** Which limits can be set. */
  readonly limits: LimitSupport;
}

const IPC_DIRS = ['/dev/mqueue', '/dev/shm'];

/** Reads the facts from `/proc`; `limits` are what the control groups give. */
export async function detectSpecFacts(limits: LimitSupport): Promise<SpecFacts> {
  const [status, ids, oom, rlimits, mounts, hasPingRange, ipcDirs] = await Promise.all([
    readFile('/proc/self/status', 'utf8'),
    ownIdCounts(),
    readFile('/proc/self/oom_score_adj', 'utf8'),
    readFile('/proc/self/limits', 'utf8'),
    listMounts(),
    exists('/proc/sys/net/ipv4/ping_group_range'),
    existing(IPC_DIRS),
  ]);
  const permitted = /^CapPrm:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0';
  const sys = mounts.findLast(({ mountPoint }) => mountPoint === '/sys');
  return {
    architecture: process.arch,
    capabilities: capabilitiesOfMask(BigInt(`0x${permitted}`)),
    mappedUids: ids.uids,
    mappedGids: ids.gids,
    oomScoreAdj: Number(oom),
    hardLimits: parseHardLimits(rlimits),
    sysIsReadOnly: sys?.options.includes('ro') === true,
    hasPingRange,
    ipcDirs,
    limits,
  };
}

/** Hard limits of the text of `/proc/PID/limits`. */
export function parseHardLimits(text: string): ReadonlyMap<string, number> {
  const limits = new Map<string, number>();
  for (const line of text.split('\n').slice(1)) {
    const match = /^(\S.*?)\s{2,}(\S+)\s+(\S+)/.exec(line);
    const [, name, , hard] = match ?? [];
    if (name === undefined || hard === undefined) continue;
    limits.set(name, hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard));
  }
  return limits;
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map(exists));
  return paths.filter((_, at) => found[at]);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
