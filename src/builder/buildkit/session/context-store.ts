/**
 * Directories that clients' files are synchronized into. One that a build has left is taken again by the next build of
 * the same client's directory, so that only what changed has to be sent.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../../oci/digest.ts';
import { randomId } from '../../../shared/ids.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { CacheEntry, CacheSource } from '../../../storage/cache-source.ts';
import { directoryBytes, ifThere } from '../../cache/directory-bytes.ts';

/** Directories that no later build finds. */
const PASSING = /^(?:once|removing)-/;

/** A directory that belongs to one build. */
export interface HeldDirectory {
  readonly dir: string;
  /** Gives it back. Idempotent, never rejects. */
  release(): Promise<void>;
}

export class ContextStore implements CacheSource {
  readonly #root: string;
  readonly #logger: Logger;
  readonly #held = new Set<string>();

  constructor(root: string, logger: Logger) {
    this.#root = root;
    this.#logger = logger;
  }

  /** The directory that `key` had last, or an empty one. Without a key it is for one use. */
  async take(key: string | undefined): Promise<HeldDirectory> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    const name = key === undefined ? `once-${randomId()}` : this.#free(nameOf(key));
    this.#held.add(name);
    const dir = join(this.#root, name);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
    } catch (error) {
      this.#held.delete(name);
      throw error;
    }
    let released: Promise<void> | undefined;
    return {
      dir,
      release: () => {
        released ??= this.#release(name, key === undefined);
        return released;
      },
    };
  }

  /** Another build may hold the first: then there is a second. */
  #free(name: string): string {
    let number = 0;
    while (this.#held.has(`${name}-${number}`)) number++;
    return `${name}-${number}`;
  }

  async #release(name: string, isForOneUse: boolean): Promise<void> {
    try {
      if (isForOneUse || !name.endsWith('-0')) await this.#remove(name);
      else await utimes(join(this.#root, name), Date.now() / 1000, Date.now() / 1000);
      this.#held.delete(name);
    } catch (error) {
      this.#held.delete(name);
      this.#logger.warn('a directory of a build context could not be cleaned up', { error });
    }
  }

  /** They hold files alone. */
  holds(): readonly Digest[] {
    return [];
  }

  async entries(): Promise<readonly CacheEntry[]> {
    const names = await ifThere(readdir(this.#root), []);
    const entries = await Promise.all(
      names.filter((name) => !PASSING.test(name)).map((name) => this.#entry(name)),
    );
    return entries.flatMap((entry) => entry ?? []);
  }

  async evict(ids: readonly string[]): Promise<readonly string[]> {
    const gone: string[] = [];
    const known = new Set(await ifThere(readdir(this.#root), []));
    for (const id of ids) {
      if (!known.has(id) || this.#held.has(id) || PASSING.test(id)) continue;
      await this.#remove(id);
      gone.push(id);
    }
    return gone;
  }

  async #entry(name: string): Promise<CacheEntry | undefined> {
    const dir = join(this.#root, name);
    const stats = await ifThere(stat(dir), undefined);
    if (stats === undefined) return undefined;
    return {
      ...{ id: name, type: 'source.local', description: 'local source for context' },
      ...{ parents: [], shared: false, usageCount: 1 },
      sizeBytes: await directoryBytes(dir),
      createdMs: Math.floor(stats.birthtimeMs),
      lastUsedMs: Math.floor(stats.mtimeMs),
      inUse: this.#held.has(name),
    };
  }

  /** Under another name first, so that a build that comes now starts with an empty one. */
  async #remove(name: string): Promise<void> {
    const doomed = join(this.#root, `removing-${randomId()}`);
    await rename(join(this.#root, name), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  /** Removes what a crash left: directories of one use, and half-removed ones. Call before the first build. */
  async recover(): Promise<void> {
    const names = await ifThere(readdir(this.#root), []);
    for (const name of names.filter((one) => PASSING.test(one))) {
      await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

const nameOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 32);
