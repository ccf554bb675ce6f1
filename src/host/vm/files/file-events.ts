/** Tells the guest what changes in directories that containers have mounted: no file system that is shared does. */
import type { Duplex } from 'node:stream';
import { TARGETS } from '../../../channel/targets.ts';
import { encodeLine } from '../../../handshake/line-codec.ts';
import type { Clock } from '../../../shared/clock.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';
import { ChangedFiles } from './changed-files.ts';
import { mountSources } from './mount-sources.ts';
import { isBelow, TreeWatcher } from './tree-watcher.ts';

export interface FileEventsOptions {
  /** A stream to the guest. */
  readonly connect: (target: string) => Duplex;
  /** Only what is in here is the same on both sides. */
  readonly sharedDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const RETRY_MS = 1_000;
/** Long enough to see one save of an editor as one change. */
const GATHER_MS = 40;
/** The guest keeps as many open. */
const MOST_DIRECTORIES = 8_192;
/** A line stays far below what its reader takes. */
const PATHS_PER_LINE = 100;

/** Begins to tell the guest; `close` ends it. Survives engines and guest agents that start anew. */
export class FileEvents {
  readonly #options: FileEventsOptions;
  readonly #closed = new AbortController();

  constructor(options: FileEventsOptions) {
    this.#options = options;
    this.#run().catch((error) => options.logger.error(messageOf(error), { error }));
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      try {
        await new Session(this.#options).serve(signal);
      } catch (error) {
        this.#options.logger.debug(`file events: ${messageOf(error)}`);
      }
      await this.#options.clock.sleep(RETRY_MS, signal);
    }
  }
}

/** As long as one stream lasts. */
class Session {
  readonly #options: FileEventsOptions;
  readonly #stream: Duplex;
  readonly #changed = new ChangedFiles();
  readonly #watcher: TreeWatcher;
  #isTelling = false;

  constructor(options: FileEventsOptions) {
    this.#options = options;
    this.#stream = options.connect(TARGETS.files);
    this.#watcher = new TreeWatcher({
      maxDirectories: MOST_DIRECTORIES,
      onChange: (path) => this.#noteChange(path),
      onDirectory: (path, state) => this.#noteDirectory(path, state),
      onLimit: (problem) =>
        options.logger.warn(
          `containers do not learn of every change to mounted files: ${problem}; ` +
            'mount smaller directories, or allow more watches (sysctl fs.inotify.max_user_watches)',
        ),
    });
  }

  async serve(closed: AbortSignal): Promise<void> {
    const stop = () => this.#stream.destroy();
    closed.addEventListener('abort', stop, { once: true });
    const ended = new Promise<never>((_, reject) => {
      this.#stream.once('error', reject);
      this.#stream.once('close', () => reject(closed.reason));
    });
    this.#stream.resume();
    const sources = mountSources(() => this.#options.connect(TARGETS.api));
    try {
      await Promise.race([ended, this.#follow(sources)]);
    } finally {
      closed.removeEventListener('abort', stop);
      this.#watcher.close();
      this.#stream.destroy();
    }
  }

  async #follow(sources: AsyncIterable<readonly string[]>): Promise<void> {
    const { sharedDir } = this.#options;
    for await (const paths of sources) {
      if (this.#stream.destroyed) return;
      await this.#watcher.setRoots(
        paths.filter((path) => path === sharedDir || isBelow(path, sharedDir)),
      );
    }
  }

  #noteChange(path: string): void {
    this.#changed.add(path);
    this.#tellSoon();
  }

  #noteDirectory(path: string, state: 'old' | 'new' | 'gone'): void {
    this.#send(state === 'gone' ? { release: [path] } : { hold: [path] });
    // That it is there is no news. Of a new one it is, and told like other changes.
    if (state === 'old') this.#changed.remember(path).catch(() => undefined);
  }

  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    this.#tell().catch((error) => this.#stream.destroy(error));
  }

  /** Slower than the guest never; meanwhile changes to one file become one. */
  async #tell(): Promise<void> {
    try {
      while (!this.#changed.isEmpty && !this.#stream.destroyed) {
        await this.#options.clock.sleep(GATHER_MS);
        const paths = await this.#changed.take();
        for (let at = 0; at < paths.length; at += PATHS_PER_LINE) {
          this.#send({ touch: paths.slice(at, at + PATHS_PER_LINE) });
        }
        while (this.#stream.writableNeedDrain && !this.#stream.destroyed) {
          await this.#options.clock.sleep(GATHER_MS);
        }
      }
    } finally {
      this.#isTelling = false;
    }
  }

  #send(message: Readonly<Record<string, readonly string[]>>): void {
    if (!this.#stream.destroyed) this.#stream.write(encodeLine(message));
  }
}
