/** One durable object with one writer. */
import { Low } from 'lowdb';
import type { Durability } from '../sys/fs/durable.ts';
import { type DocumentFormat, type DocumentStore, DurableJsonFile } from './durable-json-file.ts';
import { documentRemoved } from './state-errors.ts';

export type { Durability };

/** Where a document of its own lives and what it is before the first write. */
export interface DocumentOptions<T extends object> extends DocumentFormat<T> {
  readonly path: string;
  readonly initial: T;
}

/**
 * Holds the last committed value; updates run one after another, reach the disk first and become visible then.
 * There must be one instance per file: `Collection` and `Document.open` callers see to that.
 */
export class Document<T extends object> {
  /** For messages: the path of the file. */
  readonly name: string;
  readonly #low: Low<T>;
  readonly #store: DocumentStore<T>;
  #tail: Promise<unknown> = Promise.resolve();
  #retired = false;

  constructor(name: string, store: DocumentStore<T>, committed: T) {
    this.name = name;
    this.#store = store;
    this.#low = new Low(store, committed);
  }

  /**
   * The document in `path`, or `initial` (not yet written) when there is no file. `corrupt` or `unavailable`
   * when it cannot be read.
   */
  static async open<Value extends object>(
    options: DocumentOptions<Value>,
  ): Promise<Document<Value>> {
    const file = new DurableJsonFile(options.path, options);
    return new Document(options.path, file, (await file.read()) ?? options.initial);
  }

  /** The last committed value. */
  get value(): Readonly<T> {
    return this.#low.data;
  }

  /**
   * Commits `next(current)`, which must be pure: when it throws, or the disk refuses, the value stays as it was
   * and later updates go on. Returning the current value itself writes nothing. `not-found` after removal.
   */
  update(next: (current: Readonly<T>) => T, durability: Durability = 'synced'): Promise<T> {
    const job = this.#tail.then(async () => {
      if (this.#retired) throw documentRemoved(this.name);
      const current = this.#low.data;
      const draft = next(current);
      if (draft === current) return draft;
      await this.#store.write(draft, durability);
      this.#low.data = draft;
      return draft;
    });
    this.#tail = job.catch(() => undefined);
    return job;
  }

  /**
   * Changes the value in memory only, for a fact that holds although the disk refuses to take it. The next update
   * stores it; whoever calls this must be able to learn the fact again after a crash.
   */
  remember(next: (current: Readonly<T>) => T): Promise<T> {
    const job = this.#tail.then(async () => {
      if (this.#retired) throw documentRemoved(this.name);
      this.#low.data = next(this.#low.data);
      return this.#low.data;
    });
    this.#tail = job.catch(() => undefined);
    return job;
  }

  /**
   * Runs `remove` once earlier updates have settled; when it succeeds, the document takes no more updates. When
   * it fails, the document lives on. Part of removal.
   */
  retire(remove: () => Promise<void>): Promise<void> {
    const job = this.#tail.then(async () => {
      if (this.#retired) return;
      await remove();
      this.#retired = true;
    });
    this.#tail = job.catch(() => undefined);
    return job;
  }
}
