/** Repeats what failed for a passing reason, with growing pauses. */
import type { Clock } from '../../shared/clock.ts';
import { isWorthRetrying, pullCancelled } from './registry-errors.ts';

export interface RetryPolicy {
  readonly clock: Clock;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /** Pause before the second try; doubled each time. */
  readonly firstDelayMs: number;
  /** A server that wants a longer pause is not waited for. */
  readonly longestDelayMs: number;
}

/** The pause a server asked for with `Retry-After`, carried on the error it came with. */
const askedDelays = new WeakMap<object, number>();

/** Remembers the `Retry-After` header of the answer that became `error`: seconds or a date. */
export function rememberRetryAfter(error: object, header: string | undefined, clock: Clock): void {
  if (header === undefined) return;
  const seconds = Number(header);
  const delayMs = Number.isNaN(seconds) ? Date.parse(header) - clock.now() : seconds * 1000;
  if (delayMs >= 0) askedDelays.set(error, delayMs);
}

/** How long to wait before try number `attempt` (2 for the first repetition); undefined: give up. */
export function delayBefore(
  attempt: number,
  error: unknown,
  policy: RetryPolicy,
): number | undefined {
  if (attempt > policy.attempts || !isWorthRetrying(error)) return undefined;
  const asked = typeof error === 'object' && error !== null ? askedDelays.get(error) : undefined;
  const own = policy.firstDelayMs * 2 ** (attempt - 2);
  const delayMs = Math.max(asked ?? 0, Math.min(own, policy.longestDelayMs));
  return delayMs > policy.longestDelayMs ? undefined : delayMs;
}

/** Runs `operation` until it succeeds, fails for good, or has been tried often enough. */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  operation: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const delayMs = delayBefore(attempt + 1, error, policy);
      if (delayMs === undefined) throw error;
      await pause(policy, delayMs, signal);
    }
  }
}

/** Waits; `cancelled` when the signal aborts meanwhile. */
export async function pause(
  policy: RetryPolicy,
  delayMs: number,
  signal: AbortSignal,
): Promise<void> {
  await policy.clock.sleep(delayMs, signal);
  if (signal.aborted) throw pullCancelled(signal.reason);
}
