/** Which of the reported changes are news for the guest. What it does with them must not come back as the next change. */
import type { BigIntStats } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Beyond that many at once, directories stand for what is in them. */
const MOST_PENDING = 10_000;
/** The oldest is forgotten, and may be told once more. */
const MOST_KNOWN = 50_000;
const GONE = 'gone';

export class ChangedFiles {
  readonly #known = new Map<string, string>();
  #pending = new Set<string>();

  /** Something may have happened at `path`. */
  add(path: string): void {
    this.#pending.add(path);
    if (this.#pending.size > MOST_PENDING) {
      this.#pending = new Set([...this.#pending].map((each) => dirname(each)));
    }
  }

  /** A directory as it is now is not news. */
  async remember(path: string): Promise<void> {
    this.#learn(path, await stateOf(path));
  }

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  /** What has changed since it was last told; for something that is gone, the directory that it was in. */
  async take(): Promise<readonly string[]> {
    const paths = [...this.#pending];
    this.#pending.clear();
    const news = new Set<string>();
    for (const path of paths) {
      const state = await stateOf(path);
      if (!this.#learn(path, state)) continue;
      news.add(state === GONE ? dirname(path) : path);
    }
    return [...news];
  }

  /** False when it was known. */
  #learn(path: string, state: string): boolean {
    const isNews = this.#known.get(path) !== state;
    this.#known.delete(path);
    this.#known.set(path, state);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return isNews;
  }
}

/** All that a program can see of it besides the times of reading and of changes to the inode. */
async function stateOf(path: string): Promise<string> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? GONE : describe(found);
}

/** The entries of a directory tell of themselves. */
function describe(found: BigIntStats): string {
  const { ino, mode, size, mtimeNs } = found;
  return found.isDirectory() ? `${ino} ${mode}` : `${ino} ${mode} ${size} ${mtimeNs}`;
}
