/** Lines on their way to one client. */
import type { ProgressMessage } from '../../wire/json-stream.ts';

/** A queue with one reader, who hears of the failure after the lines. */
export class MessageQueue implements AsyncIterable<ProgressMessage> {
  readonly #onLeave: () => Promise<void>;
  readonly #queue: ProgressMessage[] = [];
  #end: { readonly failure: unknown } | 'done' | undefined;
  #wake: () => void = () => undefined;

  /** `onLeave` is called when the reader stops before the end. */
  constructor(onLeave: () => Promise<void>) {
    this.#onLeave = onLeave;
  }

  send(message: ProgressMessage): void {
    this.#queue.push(message);
    this.#wake();
  }

  close(): void {
    this.#end ??= 'done';
    this.#wake();
  }

  fail(failure: unknown): void {
    this.#end ??= { failure };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProgressMessage> {
    let hasEnded = false;
    try {
      while (true) {
        yield* this.#queue.splice(0);
        if (this.#queue.length > 0) continue;
        if (this.#end === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
        else break;
      }
      hasEnded = true;
      if (this.#end !== 'done') throw this.#end?.failure;
    } finally {
      if (!hasEnded) await this.#onLeave();
    }
  }
}
