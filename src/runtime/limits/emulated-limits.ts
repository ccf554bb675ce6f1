/**
 * Limits without control groups, as far as the kernel lets a user set them on processes: on which processors they
 * run, and how they stand behind others. Both are inherited by children; a process may undo the first one itself.
 */
import { readdir } from 'node:fs/promises';
import { readVisible } from '../../sys/proc/process-table.ts';
import {
  GREATEST_NICENESS,
  readAffinity,
  setAffinity,
  setNiceness,
} from '../../sys/proc/scheduling.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { Resources } from '../../wire/container-config.ts';
import type { LimitSupport } from '../limit-support.ts';
import { memberPids } from '../observe/member-pids.ts';
import { parseNumberList } from './number-list.ts';

/** What is set on each thread of a container. */
export interface EmulatedLimits {
  readonly cpus?: readonly number[];
  readonly niceness?: number;
}

/** What shares are relative to. */
export const USUAL_SHARES = 1024;
/** By this factor the kernel's weight of a process falls with each step of niceness (sched(7)). */
const WEIGHT_STEP = 1.25;
/** Threads may start others between our look and our call, so looking goes on until nothing new is found. */
const MOST_ROUNDS = 50;

/** The limits that are to be emulated because no control group takes them. */
export function emulatedLimits(
  { CpusetCpus = '', CpuShares = 0 }: Resources,
  support: Pick<LimitSupport, 'cpuset' | 'cpu'>,
): EmulatedLimits {
  const cpus = support.cpuset ? undefined : parseNumberList(CpusetCpus);
  const isNice = !support.cpu && CpuShares > 0;
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(isNice ? { niceness: nicenessOfShares(CpuShares) } : {}),
  };
}

/** The niceness whose weight is nearest to `shares`; more than the usual shares cannot be had. */
export function nicenessOfShares(shares: number): number {
  const steps = Math.round(Math.log(USUAL_SHARES / shares) / Math.log(WEIGHT_STEP));
  return Math.min(Math.max(steps, 0), GREATEST_NICENESS);
}

/** Sets the limits on a process that has one thread and no children yet. */
export async function limitProcess(pid: number, limits: EmulatedLimits): Promise<void> {
  await limitThread(pid, limits);
}

/**
 * Sets the limits on all processes of a running container, and so on those that they will start. False when one keeps
 * a greater niceness, which only a privilege takes away.
 */
export async function limitMembers(initPid: number, limits: EmulatedLimits): Promise<boolean> {
  const done = new Set<number>();
  let complete = true;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const threads = (await Promise.all((await memberPids(initPid)).map(threadsOf))).flat();
    const found = threads.filter((thread) => !done.has(thread));
    if (found.length === 0) break;
    for (const thread of found) {
      if (!(await limitThread(thread, limits))) complete = false;
      done.add(thread);
    }
  }
  return complete;
}

/** The limits that a process has and this program does not, for another one that joins its container. */
export async function limitsOfProcess(pid: number): Promise<EmulatedLimits> {
  const stat = await readVisible(`/proc/${pid}/stat`);
  if (stat === undefined) return {};
  const niceness = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[NICE_FIELD]);
  const cpus = readAffinity(pid);
  const isOurs = cpus.join() === readAffinity().join();
  return { ...(isOurs ? {} : { cpus }), ...(niceness > 0 ? { niceness } : {}) };
}

/** Place of `nice` behind the command name in `/proc/PID/stat`. */
const NICE_FIELD = 16;

async function limitThread(thread: number, { cpus, niceness }: EmulatedLimits): Promise<boolean> {
  try {
    if (cpus !== undefined) setAffinity(thread, cpus);
    return niceness === undefined || (await setNiceness(thread, niceness));
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}

async function threadsOf(pid: number): Promise<readonly number[]> {
  try {
    return (await readdir(`/proc/${pid}/task`)).map(Number);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
