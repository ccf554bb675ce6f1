/**
 * Pausing without a freezer: every process of the container gets SIGSTOP, and later SIGCONT. Unlike a frozen
 * control group this is visible to the processes' own parents; it is what can be had without delegated groups.
 */
import { readStat } from '../../sys/proc/process-identity.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { memberPids } from '../observe/member-pids.ts';

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

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in the meantime, or it belongs to somebody else and shares only a number with us.
    if (!['ESRCH', 'EPERM'].includes(errnoCode(error) ?? '')) throw error;
  }
}
