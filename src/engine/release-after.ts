/** A stream that lets go of what it reads from. */

/**
 * The items of `source`; `release` is called once it has ended, failed or was left, even before its first item, or when
 * `signal` aborts.
 */
export function releaseAfter<T>(
  source: AsyncIterable<T>,
  release: () => Promise<void>,
  signal: AbortSignal,
): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const leave = async () => {
    signal.removeEventListener('abort', onAbort);
    try {
      await iterator.return?.();
    } finally {
      await release();
    }
  };
  const onAbort = () => void leave().catch(() => undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    async next() {
      try {
        const item = await iterator.next();
        if (item.done === true) await leave();
        return item;
      } catch (error) {
        await leave();
        throw error;
      }
    },
    async return() {
      await leave();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
