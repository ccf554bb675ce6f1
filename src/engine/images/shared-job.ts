/** One piece of work that several clients wait for. It is aborted when the last of them has left. */
import { transferCancelled } from './image-errors.ts';

export class SharedJob<Progress> {
  /** Settles when the work has, clean-up included. */
  readonly done: Promise<void>;
  readonly #observers = new Set<(progress: Progress) => void>();
  readonly #abort = new AbortController();
  #last: Progress | undefined;

  constructor(work: (report: (progress: Progress) => void, signal: AbortSignal) => Promise<void>) {
    // Not before the first client has joined: it would miss the first reports.
    this.done = Promise.resolve().then(() =>
      work((progress) => this.#report(progress), this.#abort.signal),
    );
    this.done.catch(() => undefined);
  }

  /** True when everyone has left: newcomers must start anew. */
  get isAbandoned(): boolean {
    return this.#abort.signal.aborted;
  }

  /**
   * Waits for the work. A late client first hears how far it is. A client that leaves through `signal` waits on
   * for the clean-up only when it was the last one.
   */
  async join(observe: (progress: Progress) => void, signal: AbortSignal): Promise<void> {
    // Each client is an observer of its own, also when two pass the same function.
    const observer = (progress: Progress) => observe(progress);
    this.#observers.add(observer);
    if (this.#last !== undefined) observer(this.#last);
    const left = new Promise<'left'>((resolve) => {
      if (signal.aborted) resolve('left');
      else signal.addEventListener('abort', () => resolve('left'), { once: true });
    });
    try {
      if ((await Promise.race([this.done, left])) !== 'left') return;
    } finally {
      this.#observers.delete(observer);
    }
    if (this.#observers.size === 0) {
      this.#abort.abort(signal.reason);
      await this.done.catch(() => undefined);
    }
    throw transferCancelled(signal.reason);
  }

  #report(progress: Progress): void {
    this.#last = progress;
    for (const observer of this.#observers) observer(progress);
  }
}
