/** Usage of a container that has a version 2 control group of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { locateCgroups } from '../../sys/cgroup/cgroup-facts.ts';
import type { MountEntry } from '../../sys/mount/mount-table.ts';
import { readVisible } from '../../sys/proc/process-table.ts';
import type { BlockDeviceUsage, MemoryUsage, PidsUsage } from '../task-observer.ts';
import type { TaskRecord } from '../task-runner.ts';
import {
  type GroupCpu,
  parseFlatKeyed,
  parseGroupCpu,
  parseGroupIo,
  parseLimit,
} from './group-counters.ts';

/** What a group tells; a part is missing when its controller is not there. */
export interface GroupUsage {
  readonly cpu?: GroupCpu;
  /** `limitBytes` is infinite without a limit. */
  readonly memory?: MemoryUsage;
  readonly pids?: PidsUsage;
  readonly blockDevices?: readonly BlockDeviceUsage[];
}

/**
 * Directory of the control group that only the container is in, by the hierarchies among `mounts`; undefined
 * when it shares ours or its monitor's.
 */
export async function ownGroupDir(
  { init, monitor }: TaskRecord,
  mounts: readonly MountEntry[],
): Promise<string | undefined> {
  const texts = await Promise.all(
    [init.pid, 'self', monitor.pid].map((pid) => readVisible(`/proc/${pid}/cgroup`)),
  );
  const [own, ...others] = texts.map((text) => locateCgroups(mounts, text ?? '').ownDir);
  return own === undefined || others.includes(own) ? undefined : own;
}

/** Reads the group's files. */
export async function usageFromGroup(dir: string): Promise<GroupUsage> {
  const [cpu, io, memory, pids] = await Promise.all([
    readOptional(join(dir, 'cpu.stat')),
    readOptional(join(dir, 'io.stat')),
    readMemory(dir),
    readPids(dir),
  ]);
  return {
    ...(cpu === undefined ? {} : { cpu: parseGroupCpu(cpu) }),
    ...(io === undefined ? {} : { blockDevices: parseGroupIo(io) }),
    ...memory,
    ...pids,
  };
}

async function readMemory(dir: string): Promise<Pick<GroupUsage, 'memory'>> {
  const [current, max, stat] = await Promise.all(
    ['memory.current', 'memory.max', 'memory.stat'].map((name) => readOptional(join(dir, name))),
  );
  if (current === undefined) return {};
  return {
    memory: {
      usageBytes: Number(current),
      limitBytes: parseLimit(max) ?? Number.POSITIVE_INFINITY,
      parts: parseFlatKeyed(stat ?? ''),
    },
  };
}

async function readPids(dir: string): Promise<Pick<GroupUsage, 'pids'>> {
  const [current, max] = await Promise.all(
    ['pids.current', 'pids.max'].map((name) => readOptional(join(dir, name))),
  );
  if (current === undefined) return {};
  const limit = parseLimit(max);
  return { pids: { current: Number(current), ...(limit === undefined ? {} : { limit }) } };
}

/** A controller that is not there has no files; one that cannot be read is as good as none. */
function readOptional(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
