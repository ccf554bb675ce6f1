/** How large a disk is, and how much of it is free. */
import { statfs } from 'node:fs/promises';
import { fromNodeError } from '../system-errors.ts';

/** Of the file system below `path`, in bytes; free is what an ordinary user may still write. */
export async function diskSpaceOf(
  path: string,
): Promise<{ totalBytes: number; freeBytes: number }> {
  try {
    const { blocks, bavail, bsize } = await statfs(path);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch (error) {
    throw fromNodeError(error, `measure the disk of ${path}`);
  }
}
