/** Finds out by trying whether overlay works in a directory: kernels and file systems differ too much to guess. */
import { closeSync, constants, openSync } from 'node:fs';
import { access, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../../shared/errors.ts';
import { lsetxattr, mknod, mount, UmountFlag, umount } from '../../../sys/libc.ts';
import { isDiskFull, overlayUnusable } from '../../storage-errors.ts';

/**
 * Rejects with `unavailable`, saying why, when overlay with whiteouts cannot be used below `dir`. A full disk says
 * nothing against it: whoever starts on one must find the containers of before.
 */
export async function probeOverlay(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await probeIn(dir);
  } catch (error) {
    if (!isDiskFull(error)) throw overlayUnusable(dir, error);
  }
}

async function probeIn(dir: string): Promise<void> {
  const scratch = await mkdtemp(join(dir, '.probe-'));
  try {
    await tryOverlay(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function tryOverlay(scratch: string): Promise<void> {
  const [bottom, top, upper, work, merged] = ['bottom', 'top', 'upper', 'work', 'merged'].map(
    (name) => join(scratch, name),
  ) as [string, string, string, string, string];
  for (const dir of [bottom, top, upper, work, merged]) await mkdir(dir);
  await mkdir(join(bottom, 'opaque'));
  await mkdir(join(top, 'opaque'));
  for (const name of ['hidden', 'kept', 'removed', 'opaque/hidden']) {
    await writeFile(join(bottom, name), name);
  }
  mknod(join(top, 'hidden'), constants.S_IFCHR, { major: 0, minor: 0 });
  lsetxattr(join(top, 'opaque'), 'user.overlay.opaque', Buffer.from('y'));
  // Through a descriptor, as the snapshotter does it: a comma or colon in the path would need escapes.
  const fd = openSync(scratch, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const at = `/proc/self/fd/${fd}`;
    const data = `lowerdir=${at}/top:${at}/bottom,upperdir=${at}/upper,workdir=${at}/work,userxattr`;
    mount({ source: 'overlay', target: merged, type: 'overlay', data });
  } finally {
    closeSync(fd);
  }
  try {
    await checkMerged(merged);
  } finally {
    umount(merged, UmountFlag.detach);
  }
  const whiteout = await lstat(join(upper, 'removed'));
  if (!whiteout.isCharacterDevice()) throw new Error('a removed file leaves no whiteout');
}

async function checkMerged(merged: string): Promise<void> {
  await access(join(merged, 'kept'));
  for (const name of ['hidden', 'opaque/hidden']) {
    if (await isThere(join(merged, name))) throw new Error(`whiteout of ${name} has no effect`);
  }
  await rm(join(merged, 'removed'));
}

/** Whether something is at `path`. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
