/**
 * Directories that clients' files are synchronized into. One that a build has left is taken again by the next build of
 * the same client's directory, so that only what changed has to be sent.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { randomId } from '../../../shared/ids.ts';
import type { Logger } from '../../../shared/logger.ts';

/** Directories without a user that are kept, the latest used first. */
const KEPT = 16;

/** A directory that belongs to one build. */
export interface HeldDirectory {
  readonly dir: string;
  /** Gives it back. Idempotent, never rejects. */
  release(): Promise<void>;
}

export class ContextStore {
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
      await this.#removeOldest();
    } catch (error) {
      this.#held.delete(name);
      this.#logger.warn('a directory of a build context could not be cleaned up', { error });
    }
  }

  async #removeOldest(): Promise<void> {
    const kept = await this.list();
    for (const { name } of kept.slice(KEPT)) await this.#remove(name);
  }

  /** Directories without a user, the latest used first. */
  async list(): Promise<readonly { readonly name: string; readonly usedAtMs: number }[]> {
    const names = (await readdir(this.#root)).filter((name) => !this.#held.has(name));
    const entries = await Promise.all(
      names.map(async (name) => {
        const stats = await stat(join(this.#root, name)).catch(() => undefined);
        return stats === undefined ? [] : [{ name, usedAtMs: stats.mtimeMs }];
      }),
    );
    return entries.flat().toSorted((one, other) => other.usedAtMs - one.usedAtMs);
  }

  /** Under another name first, so that a build that comes now starts with an empty one. */
  async #remove(name: string): Promise<void> {
    const doomed = join(this.#root, `removing-${randomId()}`);
    await rename(join(this.#root, name), doomed);
    await rm(doomed, { recursive: true, force: true });
  }

  /** Removes what a crash left: directories of one use, and half-removed ones. Call before the first build. */
  async recover(): Promise<void> {
    const names = await readdir(this.#root).catch(() => []);
    for (const name of names.filter((one) => /^(?:once|removing)-/.test(one))) {
      await rm(join(this.#root, name), { recursive: true, force: true });
    }
  }
}

const nameOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 32);
