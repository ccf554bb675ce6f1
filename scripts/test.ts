/**
 * The test suite: `tsx scripts/test.ts [all|check|unit|contract|integration|e2e] [PART-OF-A-PATH...]`.
 * Ends with `N passed, N failed` alone on a line and exits non-zero when something failed or nothing ran.
 */
import { dirname } from 'node:path';
import { chalk } from 'zx';
import { build } from './build.ts';
import { runChecks } from './check.ts';
import { ordinaryUser } from './setup/ordinary-user.ts';
import { setUp } from './setup.ts';
import { readableCheckout } from './testing/readable-checkout.ts';
import { type JobResult, type RunPlace, runJob } from './testing/run-job.ts';
import { addTallies, closingLine, EMPTY_TALLY, type Tally } from './testing/tally.ts';
import { jobsOf, type TestJob, type Tier } from './testing/tiers.ts';

const ROOT = dirname(import.meta.dirname);
const TIERS: readonly Tier[] = ['unit', 'contract', 'integration', 'e2e'];
/** Files at the same time; those of one node process count as one. */
const WIDTH = 2;

async function main([what = 'all', ...patterns]: readonly string[]): Promise<number> {
  const tiers = TIERS.filter((tier) => what === 'all' || what === tier);
  if (tiers.length === 0 && what !== 'check') throw new Error(`no such tier: ${what}`);
  if (process.env['CI'] !== undefined) process.env['REQUIRE_CAPS'] ??= 'all';
  const checks = what === 'all' || what === 'check' ? await runChecks() : EMPTY_TALLY;
  const tests = tiers.length > 0 ? await runTiers(tiers, patterns) : EMPTY_TALLY;
  const total = addTallies([checks, tests]);
  for (const reason of total.skipReasons) console.log(chalk.yellow(`skipped ${reason}`));
  console.log(closingLine(total));
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

async function runTiers(tiers: readonly Tier[], patterns: readonly string[]): Promise<Tally> {
  if (tiers.includes('integration') || tiers.includes('e2e')) await setUp('test');
  if (tiers.includes('e2e')) await build();
  const user = await ordinaryUser();
  await using checkout = await readableCheckout(ROOT, user);
  const place = { root: checkout.root, user, signal: interruption() };
  const tallies: Tally[] = [];
  for (const tier of tiers) tallies.push(await runTier(tier, place, patterns));
  if (place.signal.aborted) throw new Error('interrupted');
  const total = addTallies(tallies);
  if (total.passed + total.failed + total.skipped === 0) throw new Error('no test file matches');
  return total;
}

async function runTier(tier: Tier, place: RunPlace, patterns: readonly string[]): Promise<Tally> {
  const jobs = jobsOf(tier, place.root, patterns);
  if (jobs.length === 0 && patterns.length === 0) throw new Error(`the tier ${tier} has no files`);
  const queue = [...jobs];
  const tallies: Tally[] = [];
  const work = async () => {
    for (let job = queue.shift(); job !== undefined && !place.signal.aborted; job = queue.shift()) {
      const result = await runJob(job, place);
      report(result);
      tallies.push(result.tally);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, work));
  return addTallies(tallies);
}

/** Aborts when this program is told to end: the jobs are process groups of their own and must be told too. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => controller.abort());
  }
  return controller.signal;
}

function report({ job, tally, output, durationMs }: JobResult): void {
  const seconds = chalk.dim(`${(durationMs / 1000).toFixed(1)} s`);
  const mark = tally.failed > 0 ? chalk.red('FAIL') : chalk.green(' ok ');
  console.log(`${mark} ${title(job)}  ${closingLine(tally)}  ${seconds}`);
  if (tally.failed === 0) return;
  const failures = output.indexOf('failing tests:');
  console.log(output.slice(Math.max(0, failures)).replaceAll(/^/gm, '     '));
}

function title({ tier, files }: TestJob): string {
  return files.length === 1 ? `${files[0]}` : `${tier} (${files.length} files)`;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
