/** Burying processes that we inherited without having asked for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMissing } from '../system-errors.ts';
import { isWatched, reap, watchExit } from './exit-watch.ts';

const TASKS = '/proc/self/task';

/**
 * Collects the exits of ended children that nobody watches, as a subreaper must (prctl(2)): a zombie keeps its pid,
 * and keeps the pid namespace it died in from ending. One that has not ended yet is watched, and collected when it
 * does: there may be no later call. Not to be called while a child exists whose watch is still to come. Returns how
 * many had ended; none where the kernel does not list children.
 */
export function reapOrphans(): number {
  return ownChildren().filter((pid) => !isWatched(pid) && collect(pid)).length;
}

/** True when the orphan had ended. */
function collect(pid: number): boolean {
  if (reap(pid) !== undefined) return true;
  // Runtimes are started in sessions of their own; in ours are node's own children, whose exits node collects.
  if (sessionOf(pid) !== sessionOf('self')) watchExit(pid).unref();
  return false;
}

/** Session id of a process (proc_pid_stat(5), field 6); undefined when it has gone. */
function sessionOf(pid: number | 'self'): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Children of all threads: an inherited one may belong to any of them. */
function ownChildren(): readonly number[] {
  return readdirSync(TASKS).flatMap((task) => {
    try {
      const children = readFileSync(`${TASKS}/${task}/children`, 'latin1');
      return children.split(' ').filter(Boolean).map(Number);
    } catch (error) {
      // The thread ended, or the kernel was built without the list.
      if (isMissing(error)) return [];
      throw error;
    }
  });
}
