/** Timing and memory readings. */
import { readFile } from 'node:fs/promises';

/** Median of some numbers; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Median duration in milliseconds of `rounds` runs, one after the other, after one that warms up. */
export async function medianMs(rounds: number, action: () => Promise<unknown>): Promise<number> {
  const [only = Number.NaN] = await mediansMs(rounds, [action]);
  return only;
}

/** The same for several actions that take turns, so that a busy moment of the machine meets all of them. */
export async function mediansMs(
  rounds: number,
  actions: readonly (() => Promise<unknown>)[],
): Promise<readonly number[]> {
  const durations = actions.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [at, action] of actions.entries()) {
      const started = performance.now();
      await action();
      if (round > 0) durations[at]?.push(performance.now() - started);
    }
  }
  return durations.map(median);
}

/** Proportional memory of some processes together, in bytes. Processes that have ended count nothing. */
export async function pssBytes(pids: readonly number[]): Promise<number> {
  const parts = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
    }),
  );
  return parts.reduce((sum, part) => sum + part, 0);
}
