/**
 * Finds what differs between a snapshot's writable files and the layers below. Directories stay open while their
 * entries are looked at and links are never followed: a running container cannot lead the walk elsewhere.
 */
import { type BigIntStats, closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { Pace } from '../../shared/pace.ts';
import { pathOfFd } from '../../sys/fs/open-in-root.ts';
import { statIfThere } from '../archive/stat-if-there.ts';
import { openIfThere } from '../archive/tar-entries.ts';
import type { PathChange } from '../snapshot-diff.ts';
import { layerXattrs } from '../unpack/allowed-xattrs.ts';
import { isWhiteoutName, OPAQUE_NAME, WHITEOUT_PREFIX } from '../unpack/whiteouts.ts';
import type { LeftOutPaths } from './left-out-paths.ts';
import {
  isOpaque,
  isOverlayWhiteout,
  type MergedDirectory,
  type MergedEntry,
} from './merged-directory.ts';

/** A snapshot's files and what they are compared with. */
export interface ComparedTree {
  readonly dir: string;
  /** `written`: overlay's upper directory, with whiteouts. `all`: every file, written or not. */
  readonly holds: 'written' | 'all';
  readonly below: MergedDirectory;
}

/** A change with the file that it is about, good until the next one is asked for. */
export interface FoundChange extends PathChange {
  /** The directory that it is in, and its name there; the directory itself with the name `.`. */
  readonly place: { readonly dirFd: number; readonly name: string };
  readonly isDirectory: boolean;
}

interface Level {
  readonly fd: number;
  /** Empty for the root. */
  readonly path: string;
  readonly below: MergedDirectory | undefined;
  /** Taken from the end. */
  readonly names: string[];
  /** The directory itself, when it is told only if something in it differs. */
  untold: FoundChange | undefined;
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Copies get their times from rounded seconds. */
const SAME_TIME_NS = 2_000n;

export class ChangeWalk {
  readonly #tree: ComparedTree;
  readonly #leftOut: LeftOutPaths;
  readonly #stack: Level[] = [];
  readonly #pace = new Pace();

  constructor(tree: ComparedTree, leftOut: LeftOutPaths) {
    this.#tree = tree;
    this.#leftOut = leftOut;
  }

  /** Everything that differs, the root itself apart. To be called once. */
  async *changes(): AsyncGenerator<FoundChange> {
    try {
      await this.#enter(openSync(this.#tree.dir, DIRECTORY), {
        path: '',
        below: this.#tree.below,
        untold: undefined,
      });
      for (let level = this.#stack.at(-1); level !== undefined; level = this.#stack.at(-1)) {
        const name = level.names.pop();
        await this.#pace.step();
        if (name !== undefined) yield* this.#look(level, name);
        else {
          closeSync(level.fd);
          this.#stack.pop();
        }
      }
    } finally {
      for (const level of this.#stack) closeSync(level.fd);
    }
  }

  async #enter(fd: number, level: Pick<Level, 'path' | 'below' | 'untold'>): Promise<void> {
    const names: string[] = [];
    this.#stack.push({ fd, ...level, names });
    const found = new Set(await readdir(pathOfFd(fd)));
    const isMarked = found.has(OPAQUE_NAME) || isOpaque(pathOfFd(fd, '.'));
    const hides = this.#tree.holds === 'all' || isMarked;
    if (this.#tree.holds === 'written') for (const name of namesGone(found)) found.add(name);
    if (hides) for (const name of level.below?.names() ?? []) found.add(name);
    for (const name of [...found].sort().reverse()) names.push(name);
  }

  async *#look(level: Level, name: string): AsyncGenerator<FoundChange> {
    const path = `${level.path}/${name}`;
    if (this.#leftOut.has(path)) return;
    // Marks of fuse-overlayfs: what they mean was found when the directory was entered.
    if (this.#tree.holds === 'written' && isWhiteoutName(name)) return;
    const stats = this.#statOf(level.fd, name);
    const below = level.below?.child(name);
    const found = (kind: PathChange['kind'], isDirectory: boolean): FoundChange => ({
      kind,
      path,
      place: { dirFd: level.fd, name },
      isDirectory,
    });
    if (stats === undefined) {
      if (below !== undefined) yield* this.#tell(found('deleted', false));
    } else if (stats.isDirectory()) {
      yield* this.#lookInto(level, { path, name, stats, below }, found);
    } else if (below === undefined) yield* this.#tell(found('added', false));
    else if (this.#tree.holds === 'written' || !isSame(level.fd, name, { stats, below })) {
      yield* this.#tell(found('modified', false));
    }
  }

  async *#lookInto(
    level: Level,
    dir: {
      readonly path: string;
      readonly name: string;
      readonly stats: BigIntStats;
      readonly below: MergedEntry | undefined;
    },
    found: (kind: PathChange['kind'], isDirectory: boolean) => FoundChange,
  ): AsyncGenerator<FoundChange> {
    const { path, name, stats, below } = dir;
    const fd = openIfThere(pathOfFd(level.fd, name), DIRECTORY);
    if (fd === undefined) return;
    if (below === undefined && (await this.#holdsLeftOutOnly(fd, path))) {
      closeSync(fd);
      return;
    }
    const change = found(below === undefined ? 'added' : 'modified', true);
    const isUntold =
      below?.directory !== undefined &&
      isSameNode({ stats, path: pathOfFd(level.fd, name) }, below);
    const untold = isUntold ? change : undefined;
    await this.#enter(fd, { path, below: below?.directory, untold });
    if (!isUntold) yield* this.#tell(change);
  }

  /** Tells a change, and before it the directories above that were not told yet. */
  async *#tell(change: FoundChange): AsyncGenerator<FoundChange> {
    for (const level of this.#stack) {
      if (level.untold === undefined) continue;
      const { untold } = level;
      level.untold = undefined;
      yield untold;
    }
    yield change;
  }

  /** Undefined for what is not there, or only as a mark that it is gone. */
  #statOf(dirFd: number, name: string): BigIntStats | undefined {
    const stats = statIfThere(dirFd, name);
    const isGone =
      stats !== undefined && this.#tree.holds === 'written' && isOverlayWhiteout(stats);
    return isGone ? undefined : stats;
  }

  /** True for a directory that was made for nothing but what is mounted in it. */
  async #holdsLeftOutOnly(fd: number, path: string): Promise<boolean> {
    if (!this.#leftOut.isAbove(path)) return false;
    for (const name of await readdir(pathOfFd(fd))) {
      const inside = `${path}/${name}`;
      const isMark = this.#tree.holds === 'written' && isWhiteoutName(name);
      if (isMark || this.#leftOut.has(inside)) continue;
      const inner = openIfThere(pathOfFd(fd, name), DIRECTORY);
      if (inner === undefined) return false;
      try {
        if (!(await this.#holdsLeftOutOnly(inner, inside))) return false;
      } finally {
        closeSync(inner);
      }
    }
    return true;
  }
}

/** What fuse-overlayfs marks as gone by files, where it cannot make devices. */
function namesGone(found: ReadonlySet<string>): readonly string[] {
  return [...found]
    .filter((name) => isWhiteoutName(name) && name !== OPAQUE_NAME)
    .map((name) => name.slice(WHITEOUT_PREFIX.length));
}

/** True when a copy is as it was made. */
function isSame(
  dirFd: number,
  name: string,
  { stats, below }: { readonly stats: BigIntStats; readonly below: MergedEntry },
): boolean {
  const path = pathOfFd(dirFd, name);
  if (!isSameNode({ stats, path }, below)) return false;
  if (stats.isSymbolicLink()) return readlinkSync(path) === readlinkSync(below.path);
  const apart = stats.mtimeNs - below.stats.mtimeNs;
  return stats.size === below.stats.size && apart < SAME_TIME_NS && -apart < SAME_TIME_NS;
}

/** Same type, permissions, owner and extended attributes. */
function isSameNode(
  one: { readonly stats: BigIntStats; readonly path: string },
  other: { readonly stats: BigIntStats; readonly path: string },
): boolean {
  const [a, b] = [one.stats, other.stats];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  const [mine, theirs] = [layerXattrs(one.path), layerXattrs(other.path)];
  return (
    mine.size === theirs.size &&
    [...mine].every(([name, value]) => theirs.get(name)?.equals(value) === true)
  );
}
