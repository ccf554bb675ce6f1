/** One operation at a time for each key; different keys run side by side. */
export class KeyedMutex<Key> {
  readonly #tails = new Map<Key, Promise<unknown>>();

  /** Runs `operation` once everything queued earlier for `key` has settled. */
  async run<T>(key: Key, operation: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const job = before.then(operation, operation);
    const tail = job.catch(() => undefined);
    this.#tails.set(key, tail);
    try {
      return await job;
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** True while an operation for `key` runs or waits. */
  isBusy(key: Key): boolean {
    return this.#tails.has(key);
  }
}
