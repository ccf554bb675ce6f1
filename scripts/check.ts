/** Everything that is checked without running the product: `npm run check`. */
import { dirname } from 'node:path';
import { $, chalk } from 'zx';
import { addTallies, singleResult, type Tally } from './testing/tally.ts';

/** One check: a command that exits with 0 when all is well. */
interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const ROOT = dirname(import.meta.dirname);

const CHECKS: readonly Check[] = [
  { name: 'format and lint', command: ['npx', 'biome', 'ci', '--colors=off', '.'] },
  { name: 'types', command: ['npx', 'tsc', '--noEmit', '-p', '.'] },
  { name: 'import rules', command: ['npx', 'tsx', 'scripts/check-layers.ts'] },
  { name: 'unused code', command: ['npx', 'knip'] },
  { name: 'API coverage page', command: ['npx', 'tsx', 'scripts/api-coverage.ts', '--check'] },
];

/** Runs all checks, two at a time, and prints what those that failed had to say. */
export async function runChecks(): Promise<Tally> {
  const queue = [...CHECKS];
  const tallies: Tally[] = [];
  const work = async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      tallies.push(singleResult(await passes(check)));
    }
  };
  await Promise.all([work(), work()]);
  return addTallies(tallies);
}

async function passes({ name, command }: Check): Promise<boolean> {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
  const run = await $({ cwd: ROOT, quiet: true, nothrow: true, env })`${command}`;
  const ok = run.exitCode === 0;
  console.log(`${ok ? chalk.green(' ok ') : chalk.red('FAIL')} ${name}`);
  if (!ok) console.log(run.stdall.trimEnd().replaceAll(/^/gm, '     '));
  return ok;
}

if (process.argv[1] === import.meta.filename) {
  const { failed } = await runChecks();
  const unit = await $({
    cwd: ROOT,
    stdio: 'inherit',
    nothrow: true,
  })`npx tsx scripts/test.ts unit`;
  process.exitCode = failed > 0 || unit.exitCode !== 0 ? 1 : 0;
}
