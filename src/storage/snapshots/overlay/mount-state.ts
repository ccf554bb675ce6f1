/** What is at a mount point. */
import { lstat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../../shared/errors.ts';

/** `dead`: a file system whose helper process is gone; every access to it fails. */
export type MountState = 'none' | 'mounted' | 'dead';

/** A mounted overlay is a device of its own. */
export async function mountStateOf(path: string): Promise<MountState> {
  try {
    const [own, above] = await Promise.all([lstat(path), lstat(dirname(path))]);
    if (own.dev === above.dev) return 'none';
    // What the kernel remembers of the directory itself does not tell: this asks the file system.
    await statfs(path);
    return 'mounted';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'none';
    // fuse(4): the connection of the file system was closed.
    if (systemCode(error) === 'ENOTCONN') return 'dead';
    throw error;
  }
}
