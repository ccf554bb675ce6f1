/** Everything that a build told, for the clients that watch it now or later. */
import type { StatusResponse } from '../proto/control.ts';
import type { EncodableOf } from '../proto/message.ts';

export type StatusUpdate = EncodableOf<typeof StatusResponse>;

/** Updates that are sent as one message at most. */
const BATCH = 200;

export class StatusLog {
  readonly #updates: StatusUpdate[] = [];
  readonly #readers = new Set<() => void>();
  #ended = false;

  add(update: StatusUpdate): void {
    if (this.#ended) return;
    this.#updates.push(update);
    this.#wake();
  }

  /** No more will come. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** From the first update to the last, waiting for those to come, until the end or until `signal` aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<StatusUpdate, void, void> {
    let next = 0;
    while (!signal.aborted) {
      const fresh = this.#updates.slice(next, next + BATCH);
      next += fresh.length;
      if (fresh.length > 0) yield joined(fresh);
      else if (this.#ended) return;
      else await this.#changed(signal);
    }
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#readers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#readers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#readers]) wake();
  }
}

function joined(updates: readonly StatusUpdate[]): StatusUpdate {
  return {
    vertexes: updates.flatMap(({ vertexes = [] }) => vertexes),
    statuses: updates.flatMap(({ statuses = [] }) => statuses),
    logs: updates.flatMap(({ logs = [] }) => logs),
    warnings: updates.flatMap(({ warnings = [] }) => warnings),
  };
}
