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

/** Processor time that some processes have used so far, in clock ticks. Processes that have ended count nothing. */
export async function cpuTicks(pids: readonly number[]): Promise<number> {
  const parts = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }),
  );
  return parts.reduce((sum, part) => sum + part, 0);
}

/** Those of some processes whose program has a name that matches. */
export async function namedPids(pids: readonly number[], name: RegExp): Promise<readonly number[]> {
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, at) => name.test(names[at] ?? ''));
}
