/** Whiteouts (OCI image-spec, layer.md, "Whiteouts") in the form that a snapshotter wants them in. */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';
import { lsetxattr, mknod } from '../../sys/libc.ts';
import type { WhiteoutFormat } from '../snapshotter.ts';
import { type PlacedName, tryLstat } from './layer-paths.ts';

/** What the name of a whiteout begins with. */
export const WHITEOUT_PREFIX = '.wh.';
/** Hides everything that lower layers have in its directory. */
export const OPAQUE_NAME = '.wh..wh..opq';
/** How overlay marks a directory that hides everything below (`userxattr`). */
export const OPAQUE_XATTR = 'user.overlay.opaque';
/** Bookkeeping of aufs that old layers carry. */
const AUFS_PREFIX = '.wh..wh.';

const YES = Buffer.from('y');

/** True for names that are instructions, not files. */
export function isWhiteoutName(base: string): boolean {
  return base.startsWith(WHITEOUT_PREFIX);
}

/** Makes the whiteouts of one layer. */
export class WhiteoutWriter {
  readonly #format: WhiteoutFormat;
  /** Paths of the whiteouts made so far. */
  readonly #hidden = new Set<string>();

  constructor(format: WhiteoutFormat) {
    this.#format = format;
  }

  /** Carries out a whiteout entry. */
  write(placed: PlacedName): void {
    if (placed.base === OPAQUE_NAME) this.#makeOpaque(placed.parentDir);
    else if (!placed.base.startsWith(AUFS_PREFIX)) {
      this.#hide(placed.parentDir, placed.base.slice(WHITEOUT_PREFIX.length));
    }
  }

  /**
   * A directory took a place that this layer had hidden. Without a mark it would show the hidden directory's
   * contents again.
   */
  directoryMade(path: string): void {
    if (this.#hidden.delete(path)) this.#makeOpaque(path);
  }

  /** Something is about to take that place: where whiteouts are files, nothing may hide it. */
  placeTaken({ parentDir, base, path }: PlacedName): void {
    if (this.#format === 'files' && this.#hidden.has(path)) {
      rmSync(`${parentDir}/${WHITEOUT_PREFIX}${base}`, { force: true });
    }
  }

  #hide(parentDir: string, name: string): void {
    if (name === '' || name === '.' || name === '..') return;
    const path = `${parentDir}/${name}`;
    const present = tryLstat(path);
    if (present === undefined) {
      if (this.#format === 'files') makeEmptyFile(`${parentDir}/${WHITEOUT_PREFIX}${name}`);
      else mknod(path, constants.S_IFCHR, { major: 0, minor: 0 });
      this.#hidden.add(path);
      return;
    }
    // A whiteout speaks of lower layers only: what this layer itself has stays, without what it had below.
    if (present.isDirectory()) this.#makeOpaque(path);
  }

  #makeOpaque(dir: string): void {
    if (this.#format === 'files') makeEmptyFile(`${dir}/${OPAQUE_NAME}`);
    else lsetxattr(dir, OPAQUE_XATTR, YES);
  }
}

function makeEmptyFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
