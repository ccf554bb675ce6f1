/** Burying processes that we inherited without having asked for them. */
import { readdirSync, readFileSync } from 'node:fs';
import { isMissing } from '../system-errors.ts';
import { isWatched, reap } from './exit-watch.ts';

const TASKS = '/proc/self/task';

/**
 * Collects the exits of ended children that nobody watches, as a subreaper must (prctl(2)): a zombie keeps its pid,
 * and keeps the pid namespace it died in from ending. Not to be called while a child exists whose watch is still to
 * come. Returns how many there were; none where the kernel does not list children.
 */
export function reapOrphans(): number {
  return ownChildren().filter((pid) => !isWatched(pid) && reap(pid) !== undefined).length;
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
