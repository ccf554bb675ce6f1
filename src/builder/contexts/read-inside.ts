/** Reads a small file of a context without leaving it. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { O_PATH, openInRoot } from '../../sys/fs/open-in-root.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';

/** The text of the file at `path` (links followed inside of `dir`); undefined when there is no such file. */
export async function readInside(dir: string, path: string): Promise<string | undefined> {
  const rootFd = openSync(dir, O_PATH | constants.O_DIRECTORY);
  try {
    const fd = openInRoot(rootFd, path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return fstatSync(fd).isFile() ? readFileSync(fd, 'utf8') : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  } finally {
    closeSync(rootFd);
  }
}
