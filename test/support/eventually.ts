/** Waiting for something that can be observed, with a deadline that explains itself. */
import { setTimeout as pause } from 'node:timers/promises';

interface EventuallyOptions {
  /** Give up after this time. Default 10,000. */
  readonly withinMs?: number;
  /** Time between two looks. Default 25. */
  readonly everyMs?: number;
}

/**
 * Repeats `look` until it neither throws nor returns false or undefined, and returns what it returned.
 * After the deadline it throws with the last failure as the cause.
 */
export async function eventually<T>(
  look: () => Promise<T> | T,
  { withinMs = 10_000, everyMs = 25 }: EventuallyOptions = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + withinMs;
  let cause: unknown;
  do {
    try {
      const value = await look();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      cause = new Error(`it was ${String(value)}`);
    } catch (error) {
      cause = error;
    }
    await pause(everyMs);
  } while (performance.now() < deadline);
  const last = cause instanceof Error ? cause.message : String(cause);
  throw new Error(`did not come true within ${withinMs} ms; at last: ${last}`, { cause });
}
