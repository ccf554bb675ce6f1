/** The engine's events: published once, kept for a while, streamed to any number of listeners. */
import type { Clock } from '../../shared/clock.ts';
import type { EngineEvent } from './engine-event.ts';

/** How many past events `since` can reach back to: the same number as dockerd's. */
const KEPT_EVENTS = 256;

/** Node's timers fire at once when asked for more; an end that far away is no end. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface EventStreamOptions {
  /** Nanoseconds since the epoch; replay starts here when given. */
  readonly sinceNano: bigint | undefined;
  /** The stream ends here; at once when it lies in the past. */
  readonly untilNano: bigint | undefined;
  readonly accept: (event: EngineEvent) => boolean;
}

export class EventBus {
  readonly #clock: Clock;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #kept: EngineEvent[] = [];
  #lastNano = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  /** Stamps the event with a time that never repeats and hands it to every listener. */
  publish(event: Omit<EngineEvent, 'timeNano'>): void {
    const stamped = { ...event, timeNano: this.#nextNano() };
    this.#kept.push(stamped);
    if (this.#kept.length > KEPT_EVENTS) this.#kept = this.#kept.slice(-KEPT_EVENTS);
    for (const listener of this.#listeners) listener(stamped);
  }

  /**
   * Kept events from `sinceNano` on, then live ones until `untilNano` or until `signal` aborts.
   * Listening begins with this call, not with the first read: nothing published in between is lost.
   */
  stream(options: EventStreamOptions, signal: AbortSignal): AsyncIterable<EngineEvent> {
    const queue = new EventQueue(options.accept);
    if (options.sinceNano !== undefined) this.#replay(options, queue);
    const remaining = this.#millisecondsUntil(options.untilNano);
    if (remaining !== undefined && remaining <= 0) queue.close();
    else this.#follow(queue, remaining, signal);
    return queue;
  }

  #replay(options: EventStreamOptions, queue: EventQueue): void {
    const since = options.sinceNano ?? 0n;
    for (const event of this.#kept) {
      const late = options.untilNano !== undefined && event.timeNano > options.untilNano;
      if (event.timeNano >= since && !late) queue.push(event);
    }
  }

  #follow(queue: EventQueue, remainingMs: number | undefined, signal: AbortSignal): void {
    const listener = (event: EngineEvent) => queue.push(event);
    const end = () => queue.close();
    this.#listeners.add(listener);
    const timer =
      remainingMs === undefined || remainingMs > LONGEST_TIMER_MS
        ? undefined
        : setTimeout(end, remainingMs);
    signal.addEventListener('abort', end, { once: true });
    queue.onClose(() => {
      this.#listeners.delete(listener);
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    });
    if (signal.aborted) end();
  }

  #millisecondsUntil(untilNano: bigint | undefined): number | undefined {
    return untilNano === undefined ? undefined : Number(untilNano / 1_000_000n) - this.#clock.now();
  }

  #nextNano(): bigint {
    const now = BigInt(Math.floor(this.#clock.now() * 1e3)) * 1_000n;
    this.#lastNano = now > this.#lastNano ? now : this.#lastNano + 1n;
    return this.#lastNano;
  }
}

/** Events waiting for one reader. */
class EventQueue implements AsyncIterable<EngineEvent> {
  readonly #accept: (event: EngineEvent) => boolean;
  readonly #waiting: EngineEvent[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #cleanup: (() => void) | undefined;

  constructor(accept: (event: EngineEvent) => boolean) {
    this.#accept = accept;
  }

  push(event: EngineEvent): void {
    if (this.#closed || !this.#accept(event)) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  onClose(cleanup: () => void): void {
    this.#cleanup = cleanup;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cleanup?.();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EngineEvent> {
    try {
      while (true) {
        const event = this.#waiting.shift();
        if (event !== undefined) yield event;
        else if (this.#closed) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      this.close();
    }
  }
}
