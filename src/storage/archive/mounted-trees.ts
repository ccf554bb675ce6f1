/**
 * Makes a container's tree by mounts, in the engine's own mount namespace: the root file system once more at another
 * place, and the container's mounts in it. Nothing is mounted where the container or a removal would meet it.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../shared/logger.ts';
import { O_PATH } from '../../sys/fs/open-in-root.ts';
import { unmountLazily } from '../../sys/mount/mount-table.ts';
import { bindOnto } from '../../sys/mount/mount-tree.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { FileTree, FileTrees, TreeMount, TreeOwners } from '../file-trees.ts';
import { openMountPoint, withFd } from './make-in-root.ts';
import { MountedTree, type PlacedMount, realPathOf } from './mounted-tree.ts';

const DIRECTORY = O_PATH | constants.O_DIRECTORY;

export class MountedTrees implements FileTrees {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes `dir`, below which trees are mounted, and takes away what a crash left there. */
  static async open(dir: string, logger: Logger): Promise<MountedTrees> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(dir)) {
      const path = join(dir, name);
      unmountLazily(path);
      // Never with its contents: what is still mounted there is the user's.
      await rmdir(path).catch((error: unknown) =>
        logger.warn('a left-over view of a container stays', { path, error }),
      );
    }
    // Without links: the kernel tells paths without them.
    return new MountedTrees(await realpath(dir));
  }

  async open(
    rootfsDir: string,
    mounts: readonly TreeMount[],
    owners: TreeOwners,
  ): Promise<FileTree> {
    const dir = await mkdtemp(join(this.#dir, 'tree-'));
    let rootFd = -1;
    try {
      withFd(openSync(dir, DIRECTORY), (fd) => bindOnto(rootfsDir, fd, { readOnly: false }));
      // Opened anew: what was opened before lies below the mount.
      rootFd = openSync(dir, DIRECTORY);
      const placed: PlacedMount[] = [];
      for (const mount of mounts) {
        const path = await place(dir, rootFd, mount);
        if (path !== undefined) placed.push({ mount, path });
      }
      return new MountedTree(dir, rootFd, { mounts: placed, owners });
    } catch (error) {
      if (rootFd >= 0) closeSync(rootFd);
      unmountLazily(dir);
      await rmdir(dir);
      throw error;
    }
  }
}

/** Mounts one thing; returns where that really is, undefined when its source is not there. */
async function place(dir: string, rootFd: number, mount: TreeMount): Promise<string | undefined> {
  const kind = await kindOf(mount.source);
  if (kind === undefined) return undefined;
  return withFd(openMountPoint(rootFd, mount.destination, kind), (fd) => {
    const path = realPathOf(dir, fd);
    bindOnto(mount.source, fd, { readOnly: mount.readOnly });
    return path;
  });
}

async function kindOf(path: string): Promise<'directory' | 'file' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
