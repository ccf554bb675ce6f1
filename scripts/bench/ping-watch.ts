import { ApiClient, type Subject } from './subject.ts';

/** How often the engine is asked for a sign of life. */
const PAUSE_MS = 5;

/** Asks for a sign of life all the time, and remembers the longest wait for one. */
export class PingWatch {
  readonly #api: ApiClient;
  readonly #running: Promise<void>;
  #ended = false;
  #longestMs = 0;

  constructor(subject: Subject) {
    this.#api = new ApiClient(subject);
    this.#running = this.#watch();
  }

  async end(): Promise<number> {
    this.#ended = true;
    await this.#running;
    this.#api[Symbol.dispose]();
    return this.#longestMs;
  }

  async #watch(): Promise<void> {
    while (!this.#ended) {
      const started = performance.now();
      await this.#api.call('GET', '/_ping');
      this.#longestMs = Math.max(this.#longestMs, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
