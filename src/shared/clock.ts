/** Time as a port, so that tests can hold it still. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Now as RFC 3339 with nanoseconds (Docker's `RFC3339Nano`), UTC. */
  nowIso(): string;
  /** Resolves after `delayMs`, or at once when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Docker's "never" timestamp. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  nowIso: () => toIsoNano(Date.now()),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/** RFC 3339 with nine fraction digits for a time in milliseconds since the epoch. */
export function toIsoNano(epochMs: number): string {
  const whole = Math.floor(epochMs);
  const subMs = Math.floor((epochMs - whole) * 1e6);
  return `${new Date(whole).toISOString().slice(0, -1)}${String(subMs).padStart(6, '0')}Z`;
}
