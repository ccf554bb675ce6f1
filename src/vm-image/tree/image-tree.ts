/** The files of the guest while they are gathered, by path; everything belongs to its root. */
import { posix } from 'node:path';
import { damagedInput } from '../vm-image-errors.ts';

/** What stands at a path. */
export type ImageEntry =
  | { readonly kind: 'directory'; readonly mode: number }
  | { readonly kind: 'file'; readonly mode: number; readonly content: Buffer }
  | { readonly kind: 'symlink'; readonly target: string };

const DIRECTORY = 0o040000;
const FILE = 0o100000;
const SYMLINK = 0o120000;
const DIRECTORY_MODE = 0o755;
const MOST_LINKS = 16;
/** Debian keeps these below `usr`; packages name them either way. */
const MERGED = /^(?:bin|sbin|lib|lib64)\//;

/** Paths are relative to the root, without `.` and `..`: `usr/bin/crun`. The root itself is the empty path. */
export class ImageTree {
  readonly #entries = new Map<string, ImageEntry>([
    ['', { kind: 'directory', mode: DIRECTORY_MODE }],
  ]);

  /** Puts an entry at `path`, replacing what is there, and makes the directories above it. */
  add(path: string, entry: ImageEntry): void {
    const place = treePath(path);
    if (place === '') return;
    this.#addParents(place);
    const present = this.#entries.get(place);
    if (entry.kind === 'directory' && present?.kind === 'directory') return;
    this.#entries.set(place, entry);
  }

  /** What stands at exactly this path, links not followed. */
  at(path: string): ImageEntry | undefined {
    return this.#entries.get(treePath(path));
  }

  /** Adds everything of another tree. */
  addAll(other: ImageTree): void {
    for (const [path, entry] of other.#entries) this.add(path, entry);
  }

  /** All entries by path, parents before what is in them, in the order of bytes. */
  sorted(): readonly (readonly [path: string, entry: ImageEntry])[] {
    return [...this.#entries].toSorted(([a], [b]) => Buffer.compare(sortKey(a), sortKey(b)));
  }

  /** The paths that lead to the file called `path`: links on the way first, the file last; none when it is missing. */
  trail(path: string): readonly string[] {
    const passed: string[] = [];
    let place = treePath(path);
    for (let links = 0; links <= MOST_LINKS; links++) {
      const entry = this.#entries.get(place);
      if (entry === undefined) return [];
      passed.push(place);
      if (entry.kind !== 'symlink') return passed;
      const { target } = entry;
      place = treePath(target.startsWith('/') ? target : posix.join(posix.dirname(place), target));
    }
    throw damagedInput(path, 'too many symbolic links');
  }

  /** The content of the file that `path` leads to, undefined when there is none. */
  contentOf(path: string): Buffer | undefined {
    const last = this.trail(path).at(-1);
    const entry = last === undefined ? undefined : this.#entries.get(last);
    return entry?.kind === 'file' ? entry.content : undefined;
  }

  #addParents(place: string): void {
    const parent = place.includes('/') ? posix.dirname(place) : '';
    if (this.#entries.get(parent)?.kind === 'directory') return;
    this.#addParents(parent);
    this.#entries.set(parent, { kind: 'directory', mode: DIRECTORY_MODE });
  }
}

/** Type and permissions as inodes have them (inode(7)). */
export function modeOf(entry: ImageEntry): number {
  if (entry.kind === 'symlink') return SYMLINK | 0o777;
  return (entry.kind === 'directory' ? DIRECTORY : FILE) | entry.mode;
}

/** A path as the tree knows it: `./lib/x`, `/lib/x` and `usr/lib/x` are one. */
export function treePath(path: string): string {
  const plain = posix.join('/', path).slice(1).replace(/\/$/, '');
  return MERGED.test(plain) ? `usr/${plain}` : plain;
}

/** With the separator before every other byte, so that a directory's files follow it at once. */
function sortKey(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'));
}
