/** Waiting for, and forcing, the end of processes that may not be our children. */
import { watchExit } from '../sys/exec/exit-watch.ts';
import {
  isAlive,
  type ProcessIdentity,
  readBootId,
  readStat,
} from '../sys/proc/process-identity.ts';
import { errnoCode } from '../sys/system-errors.ts';
import { cannotEnd } from './host-errors.ts';

const KILL_TIMEOUT_MS = 10_000;

/**
 * Resolves when exactly this process has ended, or has ended already. A process whose first thread is a zombie may
 * have others that still hold its files and sockets: only the pidfd tells when the last of them is gone.
 */
export async function whenEnded(identity: ProcessIdentity, signal?: AbortSignal): Promise<void> {
  const watch = watchExit(identity.pid);
  try {
    // Checked after the watch is on: before, the pid could have gone to another process in between.
    if (!(await isPresent(identity))) return;
    await Promise.race([watch.ended, ...(signal === undefined ? [] : [aborted(signal)])]);
  } finally {
    watch.close();
  }
}

/** Waits at most `timeoutMs`; true when the process has ended. */
export async function endsWithin(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    await whenEnded(identity, timeout.signal);
    return !timeout.signal.aborted;
  } finally {
    clearTimeout(timer);
  }
}

/** True while `/proc` shows the process, alive or as a zombie. */
async function isPresent(identity: ProcessIdentity): Promise<boolean> {
  const stat = await readStat(identity.pid);
  return stat?.startTicks === identity.startTicks && identity.bootId === (await readBootId());
}

/** Sends a signal to exactly this process; false when it is gone. */
export async function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if (errnoCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. `internal` when even that does not help. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    await signalProcess(identity, 'SIGTERM');
    if (await endsWithin(identity, graceMs)) return;
  }
  await signalProcess(identity, 'SIGKILL');
  if (!(await endsWithin(identity, KILL_TIMEOUT_MS))) throw cannotEnd(`process ${identity.pid}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
