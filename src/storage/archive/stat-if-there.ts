/** Looking at files that a running container may take away at any moment. */
import { type BigIntStats, lstatSync } from 'node:fs';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode } from '../../sys/system-errors.ts';

/** What became of a file that was there a moment ago. */
export const VANISHED: ReadonlySet<string | undefined> = new Set([
  'ENOENT',
  'ESTALE',
  'ELOOP',
  'ENOTDIR',
]);

/** What is called `name` in the open directory, links not followed; undefined when nothing is. */
export function statIfThere(dirFd: number, name: string): BigIntStats | undefined {
  try {
    return lstatSync(pathOfFd(dirFd, name), { bigint: true });
  } catch (error) {
    if (VANISHED.has(errnoCode(error))) return undefined;
    throw error;
  }
}
