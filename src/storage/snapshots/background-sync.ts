/** Brings to disk later what was written now, many things with one call, so that nobody waits for the disk. */
import { closeSync, constants, openSync } from 'node:fs';
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Disk } from './disk.ts';

/** How the sync ended for something: on disk, or perhaps lost for good. */
export type SyncOutcome = 'synced' | 'failed';

export interface BackgroundSyncOptions<T> {
  /** A directory of the file system that is written to. */
  readonly dir: string;
  readonly disk: Disk;
  readonly logger: Logger;
  /** Told once for each thing. A rejection is logged. */
  settle(thing: T, outcome: SyncOutcome): Promise<void>;
}

export class BackgroundSync<T> {
  readonly #options: BackgroundSyncOptions<T>;
  /** Open from the beginning: the kernel tells a descriptor of failed writes since it was opened, and only once. */
  readonly #fd: number;
  #waiting: T[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;
  #hasComplained = false;
  #outcome: SyncOutcome = 'synced';

  constructor(options: BackgroundSyncOptions<T>) {
    this.#options = options;
    this.#fd = openSync(options.dir, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** `thing` is completely written, and will be settled by a sync that begins after now. */
  add(thing: T): void {
    this.#waiting.push(thing);
    this.#schedule();
  }

  /** Waits for the sync that runs; what still waits for the next one stays unsettled. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
    closeSync(this.#fd);
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = setTimeout(() => this.#start(), this.#options.disk.syncDelayMs);
    // The end of the program brings nothing to disk sooner.
    this.#timer.unref();
  }

  #start(): void {
    this.#timer = undefined;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    if (this.#outcome === 'synced') await this.#sync();
    for (const thing of batch) {
      await this.#options
        .settle(thing, this.#outcome)
        .catch((error: unknown) => this.#complain(error));
    }
  }

  /**
   * One failure is the last word: nobody knows what is lost, and it may be part of something that is being written
   * just now, for which the next sync would succeed.
   */
  async #sync(): Promise<void> {
    try {
      await this.#options.disk.sync(this.#fd);
    } catch (error) {
      this.#outcome = 'failed';
      this.#complain(error);
    }
  }

  /** A full or broken disk breaks every write: once is enough. */
  #complain(error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    this.#options.logger.warn('what was just unpacked may not be on disk', {
      dir: this.#options.dir,
      reason: messageOf(error),
    });
  }
}
