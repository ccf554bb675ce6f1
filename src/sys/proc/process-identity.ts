/** Processes named so that a recycled pid is never mistaken for the one that was meant. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isMissing } from '../system-errors.ts';

/** One process of one boot: pids are reused, the triple is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of `/proc/PID/stat`: start time in clock ticks since boot (proc(5)). */
  readonly startTicks: number;
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly bootId: string;
}

/** What `/proc/PID/stat` tells of a process. */
export interface ProcessStat {
  /** `R`, `S`, `D`, `Z` (dead, not yet reaped), … */
  readonly state: string;
  readonly parentPid: number;
  readonly startTicks: number;
}

/** The identity of a process that runs now; undefined when there is none or it is dead and unreaped. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readStat(pid);
  if (stat === undefined || isDead(stat)) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: await readBootId() };
}

/** `identify` without waiting, for moments when the process must not slip away in between. */
export function identifySync(pid: number): ProcessIdentity | undefined {
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    if (stat === undefined || isDead(stat)) return undefined;
    const bootId = readFileSync(BOOT_ID_FILE, 'latin1').trim();
    return { pid, startTicks: stat.startTicks, bootId };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** True while exactly this process runs. A zombie counts as dead. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const stat = await readStat(identity.pid);
  if (stat === undefined || isDead(stat) || stat.startTicks !== identity.startTicks) return false;
  return identity.bootId === (await readBootId());
}

/** Id of the present boot of the kernel. */
export async function readBootId(): Promise<string> {
  return (await readFile(BOOT_ID_FILE, 'latin1')).trim();
}

/** State, parent and start time of a process; undefined when there is none. */
export async function readStat(pid: number): Promise<ProcessStat | undefined> {
  try {
    return parseProcessStat(await readFile(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Parses `/proc/PID/stat`. The name in parentheses may itself hold spaces and parentheses. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  const start = fields[19];
  if (state === undefined || parent === undefined || start === undefined) return undefined;
  return { state, parentPid: Number(parent), startTicks: Number(start) };
}

const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';

function isDead(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}
