/** Finds out by trying whether fuse-overlayfs works in a directory. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UmountFlag, umount } from '../../../sys/libc.ts';
import { fuseRefused, isDiskFull } from '../../storage-errors.ts';
import { runHelper } from './fuse-mount.ts';
import { isThere } from './probe-overlay.ts';

/** Rejects with `unavailable`, saying why. A full disk says nothing against it. */
export async function probeFuse(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await probeIn(dir);
  } catch (error) {
    if (!isDiskFull(error)) throw fuseRefused(dir, error);
  }
}

async function probeIn(dir: string): Promise<void> {
  const scratch = await mkdtemp(join(dir, '.probe-'));
  try {
    for (const name of ['bottom', 'top', 'upper', 'work', 'merged']) {
      await mkdir(join(scratch, name));
    }
    for (const name of ['bottom/hidden', 'bottom/removed', 'top/.wh.hidden']) {
      await writeFile(join(scratch, name), '');
    }
    const options = 'lowerdir=top:bottom,upperdir=upper,workdir=work,allow_other';
    const merged = join(scratch, 'merged');
    await runHelper(scratch, ['-o', options, merged]);
    await checkMerged(merged).finally(() => umount(merged, UmountFlag.detach));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** On some file systems it mounts, but cannot remove anything. */
async function checkMerged(merged: string): Promise<void> {
  await rm(join(merged, 'removed'));
  for (const name of ['hidden', 'removed']) {
    if (await isThere(join(merged, name))) throw new Error(`${name} does not stay away`);
  }
}
