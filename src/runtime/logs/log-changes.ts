/** Being told that a log has grown. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Wakes a reader; nothing that happens between two waits is missed. */
export class LogChanges {
  #changed = false;
  #wake: (() => void) | undefined;
  readonly #stop: (() => void)[] = [];

  /**
   * Watches the directory, so that a log that does not exist yet, or is replaced, is noticed as well. Without
   * inotify (limits of the kernel used up) the reader learns of changes only from `notify`.
   */
  constructor(logPath: string, onError: (error: unknown) => void) {
    const name = basename(logPath);
    const watcher = watch(dirname(logPath), (_event, changed) => {
      if (changed === null || changed === name) this.notify();
    });
    watcher.on('error', onError);
    this.#stop.push(() => watcher.close());
  }

  /** Wakes the reader now. */
  notify(): void {
    this.#changed = true;
    this.#wake?.();
  }

  /** Wakes the reader at a time (epoch milliseconds). */
  notifyAt(epochMs: number): void {
    // Longer delays than a timer takes are as good as never.
    const delayMs = Math.min(Math.max(epochMs - Date.now(), 0), 2 ** 31 - 1);
    const timer = setTimeout(() => this.notify(), delayMs);
    this.#stop.push(() => clearTimeout(timer));
  }

  /** Wakes the reader when the signal aborts. */
  notifyOn(signal: AbortSignal): void {
    const onAbort = () => this.notify();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#stop.push(() => signal.removeEventListener('abort', onAbort));
  }

  /** Resolves at once when something happened since the last call. */
  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#changed = false;
  }

  /** Idempotent. */
  close(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }
}
