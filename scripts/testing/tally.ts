/** Counting test results: reads what node's TAP reporter wrote. */

/** Numbers of one or more runs. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Reasons of skips, one per skipped test. */
  readonly skipReasons: readonly string[];
}

/** Nothing counted yet. */
export const EMPTY_TALLY: Tally = { passed: 0, failed: 0, skipped: 0, skipReasons: [] };

/** A single result that is not a node test: a lint run, a file that never came to its tests. */
export function singleResult(ok: boolean): Tally {
  return { ...EMPTY_TALLY, passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
}

export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, tally) => ({
      passed: sum.passed + tally.passed,
      failed: sum.failed + tally.failed,
      skipped: sum.skipped + tally.skipped,
      skipReasons: [...sum.skipReasons, ...tally.skipReasons],
    }),
    EMPTY_TALLY,
  );
}

/**
 * The totals at the end of a TAP report. Undefined when there are none (the run was cut short) or when they
 * add up to no test at all: a check that checked nothing is a failure.
 */
export function parseTap(text: string): Tally | undefined {
  const total = (word: string) =>
    Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  const passed = total('pass');
  const failed = total('fail') + total('cancelled');
  const skipped = total('skipped') + total('todo');
  if (!(passed + failed + skipped > 0)) return undefined;
  const skipReasons = [...text.matchAll(/^\s*ok \d+ - (.*) # SKIP ?(.*)$/gm)].map(
    ([, name, reason]) => `${name}: ${reason === '' ? 'no reason given' : reason}`,
  );
  return { passed, failed, skipped, skipReasons };
}

/** The closing line of a run. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
