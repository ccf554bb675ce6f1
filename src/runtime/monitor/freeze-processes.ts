/**
 * Pausing without a freezer: every process of the container gets SIGSTOP, and later SIGCONT. Unlike a frozen
 * control group this is visible to the processes' own parents; it is what can be had without delegated groups.
 */
import { readlink } from 'node:fs/promises';
import { readStat } from '../../sys/proc/process-identity.ts';
import { listPids } from '../../sys/proc/process-table.ts';
import { errnoCode } from '../../sys/system-errors.ts';

/** A process may start another between our look and our signal, so looking goes on until nothing new is found. */
const MOST_ROUNDS = 50;

/** Stops all processes of the container; false when they multiplied faster than they could be stopped. */
export async function stopProcesses(initPid: number): Promise<boolean> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const running = await runningMembers(initPid);
    if (running.length === 0) return true;
    for (const pid of running) send(pid, 'SIGSTOP');
  }
  return false;
}

/** Lets all processes of the container go on. */
export async function continueProcesses(initPid: number): Promise<void> {
  for (const pid of await memberPids(initPid)) send(pid, 'SIGCONT');
}

async function runningMembers(initPid: number): Promise<readonly number[]> {
  const pids = await memberPids(initPid);
  const states = await Promise.all(pids.map(async (pid) => (await readStat(pid))?.state));
  return pids.filter((_, at) => !['T', 't', 'Z', 'X', undefined].includes(states[at]));
}

/** Init first: whatever shares its mount namespace or its own pid namespace, and their descendants. */
async function memberPids(initPid: number): Promise<readonly number[]> {
  const [init, own] = await Promise.all([namespacesOf(initPid), namespacesOf('self')]);
  const all = await Promise.all((await listPids()).map(describe));
  const members = new Set([initPid]);
  for (const { pid, mount, pids } of all) {
    const sharesPids = pids !== undefined && pids !== own.pids && pids === init.pids;
    if ((mount !== undefined && mount === init.mount) || sharesPids) members.add(pid);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parent } of all) {
      if (members.has(pid) || parent === undefined || !members.has(parent)) continue;
      members.add(pid);
      grew = true;
    }
  }
  return [...members];
}

interface Namespaces {
  readonly mount: string | undefined;
  readonly pids: string | undefined;
}

async function describe(pid: number): Promise<Namespaces & { pid: number; parent?: number }> {
  const [namespaces, stat] = await Promise.all([namespacesOf(pid), readStat(pid)]);
  return { pid, ...namespaces, ...(stat === undefined ? {} : { parent: stat.parentPid }) };
}

async function namespacesOf(pid: number | 'self'): Promise<Namespaces> {
  const [mount, pids] = await Promise.all(
    ['mnt', 'pid'].map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined)),
  );
  return { mount, pids };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in the meantime, or it belongs to somebody else and shares only a number with us.
    if (!['ESRCH', 'EPERM'].includes(errnoCode(error) ?? '')) throw error;
  }
}
