/** A stack of layers seen as one tree, by looking into their directories: nothing is mounted. */
import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { lgetxattr } from '../../sys/libc.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import type { WhiteoutFormat } from '../snapshotter.ts';
import { isWhiteoutName, OPAQUE_NAME, OPAQUE_XATTR, WHITEOUT_PREFIX } from '../unpack/whiteouts.ts';

/** What the stack has under a name. */
export interface MergedEntry {
  /** Where the topmost layer that has it keeps it. */
  readonly path: string;
  readonly stats: BigIntStats;
  /** Its contents when it is a directory. */
  readonly directory: MergedDirectory | undefined;
}

export class MergedDirectory {
  /** Directories of the layers that contribute, topmost first. */
  readonly #dirs: readonly string[];
  readonly #whiteouts: WhiteoutFormat;

  constructor(dirs: readonly string[], whiteouts: WhiteoutFormat) {
    this.#dirs = dirs;
    this.#whiteouts = whiteouts;
  }

  /** The names that it may have entries of, in no order: those that are gone are among them. */
  names(): readonly string[] {
    const candidates = new Set<string>();
    for (const dir of this.#dirs) {
      for (const name of readdirSync(dir)) {
        if (this.#whiteouts === 'overlay' || !isWhiteoutName(name)) candidates.add(name);
      }
    }
    return [...candidates];
  }

  /** Undefined when there is nothing of that name. */
  child(name: string): MergedEntry | undefined {
    const dirs: string[] = [];
    let top: Pick<MergedEntry, 'path' | 'stats'> | undefined;
    for (const dir of this.#dirs) {
      const { stats, hidesBelow } = this.#lookIn(dir, name);
      const path = `${dir}/${name}`;
      if (stats !== undefined) top ??= { path, stats };
      if (stats?.isDirectory() === true) dirs.push(path);
      if (hidesBelow) break;
    }
    if (top === undefined) return undefined;
    const isDirectory = top.stats.isDirectory();
    return {
      ...top,
      directory: isDirectory ? new MergedDirectory(dirs, this.#whiteouts) : undefined,
    };
  }

  /** What one layer says of a name, and whether layers below may add to it. */
  #lookIn(
    dir: string,
    name: string,
  ): { readonly stats: BigIntStats | undefined; readonly hidesBelow: boolean } {
    const stats = tryLstat(`${dir}/${name}`);
    if (stats !== undefined && isOverlayWhiteout(stats)) {
      return { stats: undefined, hidesBelow: true };
    }
    // A file hides, and is hidden by, whatever else has its name.
    const isLast =
      stats !== undefined && (!stats.isDirectory() || this.#isOpaque(`${dir}/${name}`));
    const isWhitedOut = this.#whiteouts === 'files' && isThere(`${dir}/${WHITEOUT_PREFIX}${name}`);
    return { stats, hidesBelow: isLast || isWhitedOut };
  }

  #isOpaque(path: string): boolean {
    return this.#whiteouts === 'files' ? isThere(`${path}/${OPAQUE_NAME}`) : isOpaque(path);
  }
}

/** True for the device that overlay puts in the place of what is gone. */
export function isOverlayWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

/** The mark of the kernel's overlay, and that of fuse-overlayfs. */
const OPAQUE_XATTRS = [OPAQUE_XATTR, 'user.fuseoverlayfs.opaque'];

/** True for a directory that overlay shows without what is below it. */
export function isOpaque(path: string): boolean {
  try {
    return OPAQUE_XATTRS.some((name) => lgetxattr(path, name)?.toString('latin1') === 'y');
  } catch (error) {
    if (errnoCode(error) === 'ENOTSUP' || isMissing(error)) return false;
    throw error;
  }
}

function isThere(path: string): boolean {
  return tryLstat(path) !== undefined;
}

function tryLstat(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
