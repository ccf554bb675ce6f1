/** Restarts that are waiting for their time: at most one for each container. */
import type { Clock } from '../../shared/clock.ts';
import type { ContainerId } from '../../shared/ids.ts';

export interface RestartTimersOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Restarts the container. A failure is its own to report: it must not reject. */
  readonly onDue: (id: ContainerId) => Promise<void>;
}

export class RestartTimers {
  readonly #options: RestartTimersOptions;
  readonly #waiting = new Map<ContainerId, AbortController>();
  readonly #held = new Map<ContainerId, number>();
  readonly #underWay = new Set<Promise<void>>();
  #phase: 'held' | 'open' | 'closed' = 'held';

  constructor(options: RestartTimersOptions) {
    this.#options = options;
  }

  /** Restarts the container after `delayMs`; before `open` the time only begins with it. Replaces an earlier wait. */
  schedule(id: ContainerId, delayMs: number): void {
    this.cancel(id);
    if (this.#phase === 'held') this.#held.set(id, delayMs);
    if (this.#phase === 'open') this.#arm(id, delayMs);
  }

  /** Forgets a restart that has not begun. */
  cancel(id: ContainerId): void {
    this.#held.delete(id);
    this.#waiting.get(id)?.abort();
    this.#waiting.delete(id);
  }

  /** Recovery is done: from now on restarts happen. */
  open(): void {
    if (this.#phase !== 'held') return;
    this.#phase = 'open';
    for (const [id, delayMs] of this.#held) this.#arm(id, delayMs);
    this.#held.clear();
  }

  /** The engine ends: no further restart begins. Resolves when those that have begun are done. */
  async close(): Promise<void> {
    this.#phase = 'closed';
    for (const id of [...this.#waiting.keys()]) this.cancel(id);
    await Promise.all(this.#underWay);
  }

  #arm(id: ContainerId, delayMs: number): void {
    const wait = new AbortController();
    this.#waiting.set(id, wait);
    const job = this.#restartAfter(id, delayMs, wait);
    this.#underWay.add(job);
    job.finally(() => this.#underWay.delete(job)).catch(() => undefined);
  }

  async #restartAfter(id: ContainerId, delayMs: number, wait: AbortController): Promise<void> {
    await this.#options.clock.sleep(delayMs, wait.signal);
    if (wait.signal.aborted) return;
    this.#waiting.delete(id);
    await this.#options.onDue(id);
  }
}
