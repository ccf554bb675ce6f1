/** Progress lines on their way to one client. */
import type { ProgressMessage } from '../../wire/json-stream.ts';

/** Lines of one kind about one layer are sent at most this often. */
const SHORTEST_INTERVAL_MS = 100;

type Waiter = () => void;

/**
 * A queue with one reader. Only the latest of several unsent counts of a layer is kept, so that a slow client
 * never holds up a transfer or fills memory.
 */
export class ProgressChannel implements AsyncIterable<ProgressMessage> {
  readonly #now: () => number;
  readonly #onLeave: () => void;
  readonly #lastSent = new Map<string, number>();
  #queue: ProgressMessage[] = [];
  #end: { readonly failure: unknown } | 'done' | undefined;
  #wake: Waiter | undefined;

  /** `onLeave` is called when the reader stops before the end. */
  constructor(now: () => number, onLeave: () => void) {
    this.#now = now;
    this.#onLeave = onLeave;
  }

  send(message: ProgressMessage): void {
    if (this.#end !== undefined) return;
    this.#queue.push(message);
    this.#wakeReader();
  }

  /** Sends a count unless one was just sent; a count that is complete is always sent. A `total` of 0 is unknown. */
  sendCount(id: string, status: string, count: { current: number; total: number }): void {
    const key = `${status} ${id}`;
    const now = this.#now();
    const isComplete = count.total > 0 && count.current >= count.total;
    if (
      !isComplete &&
      now - (this.#lastSent.get(key) ?? Number.NEGATIVE_INFINITY) < SHORTEST_INTERVAL_MS
    ) {
      return;
    }
    this.#lastSent.set(key, now);
    const waiting = this.#queue.findIndex((line) => line.id === id && line.status === status);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    this.send({ status, id, progressDetail: count, progress: progressBar(count) });
  }

  /** No more lines. */
  close(): void {
    this.#end ??= 'done';
    this.#wakeReader();
  }

  /** The reader gets this error after the lines sent so far. */
  fail(failure: unknown): void {
    this.#end ??= { failure };
    this.#wakeReader();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgressMessage> {
    let finished = false;
    try {
      for (;;) {
        const batch = this.#queue;
        this.#queue = [];
        yield* batch;
        if (this.#queue.length > 0) continue;
        if (this.#end !== undefined) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      finished = true;
      if (this.#end !== 'done') throw this.#end?.failure;
    } finally {
      if (!finished) this.#onLeave();
    }
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const BAR_WIDTH = 50;

/** Docker's bar as text, for clients that print it as it is: `[=====>    ]  1.2MB/5.1MB`. */
export function progressBar(count: { readonly current: number; readonly total: number }): string {
  if (count.total <= 0) return humanSize(count.current);
  const filled = Math.min(BAR_WIDTH, Math.floor((count.current / count.total) * BAR_WIDTH));
  const bar =
    filled < BAR_WIDTH
      ? `${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled - 1)}`
      : `${'='.repeat(BAR_WIDTH)}>`;
  return `[${bar}]  ${humanSize(count.current)}/${humanSize(count.total)}`;
}

/** Bytes with four significant digits and decimal units, as Docker prints them. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
