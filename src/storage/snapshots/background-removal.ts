/** Removes directory trees out of the way first and for good later, so that nobody waits for the disk. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../../shared/errors.ts';
import { randomId } from '../../shared/ids.ts';
import type { Logger } from '../../shared/logger.ts';

export class BackgroundRemoval {
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #running = new Set<Promise<void>>();

  /** `dir` must be on the same file system as what will be removed. */
  constructor(dir: string, logger: Logger) {
    this.#dir = dir;
    this.#logger = logger;
  }

  /** Makes the directory and begins to remove what a crash left in it. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#dir)) this.#delete(join(this.#dir, name));
  }

  /** The tree has lost its name when this resolves. Idempotent. */
  async remove(path: string): Promise<void> {
    const aside = join(this.#dir, randomId());
    try {
      await rename(path, aside);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return;
      throw error;
    }
    this.#delete(aside);
  }

  /** Resolves when all removals so far are done. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #delete(path: string): void {
    const job = rm(path, { recursive: true, force: true })
      .catch((error: unknown) => {
        // The next start tries again.
        this.#logger.warn('a removed directory could not be deleted', {
          path,
          reason: messageOf(error),
        });
      })
      .finally(() => this.#running.delete(job));
    this.#running.add(job);
  }
}
