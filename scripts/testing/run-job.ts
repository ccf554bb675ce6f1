/** Runs one job of test files in a node process of its own and counts its results. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { commandAs, type OrdinaryUser } from '../setup/ordinary-user.ts';
import { reflinkDir, withReflinkDisk } from './reflink-disk.ts';
import { parseTap, singleResult, type Tally } from './tally.ts';
import type { TestJob } from './tiers.ts';

/** What came of a job. `output` is node's readable report. */
export interface JobResult {
  readonly job: TestJob;
  readonly tally: Tally;
  readonly output: string;
  readonly durationMs: number;
}

export interface RunPlace {
  /** Where the checkout is, readable by `user`. */
  readonly root: string;
  readonly user: OrdinaryUser;
  /** Ends the running jobs. */
  readonly signal: AbortSignal;
}

const WORKERS = 2;
/** For output that was written before the exit and has not arrived. */
const OUTPUT_GRACE_MS = 500;

/** Runs the files of `job` as the ordinary user. Never rejects for failing tests: they are in the tally. */
export async function runJob(job: TestJob, place: RunPlace): Promise<JobResult> {
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-report-'));
  await chmod(scratch, 0o1777);
  const report = join(scratch, 'report.tap');
  try {
    const started = performance.now();
    const command = jobCommand(job, place.user, { scratch, report });
    const { exitCode, output } = await runToEnd(command, {
      cwd: place.root,
      timeoutMs: job.timeoutMs,
      signal: place.signal,
    });
    const text = await readFile(report, 'utf8').catch(() => '');
    const tally = toTally(parseTap(text), exitCode);
    return { job, tally, output, durationMs: performance.now() - started };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A run without totals, or one that failed without a failing test, is itself one failure. */
function toTally(counted: Tally | undefined, exitCode: number | null): Tally {
  if (counted === undefined) return singleResult(false);
  if (exitCode !== 0 && counted.failed === 0) return { ...counted, failed: 1 };
  return counted;
}

function jobCommand(
  job: TestJob,
  user: OrdinaryUser,
  { scratch, report }: { readonly scratch: string; readonly report: string },
): readonly string[] {
  const command = [...job.prefix, ...nodeCommand(job, report)];
  if (!job.wantsReflinks) return commandAs(user, command);
  const variables = { WHERRY_REFLINK_DIR: reflinkDir(scratch) };
  return withReflinkDisk(commandAs(user, command, variables), scratch);
}

function nodeCommand(job: TestJob, report: string): readonly string[] {
  return [
    ...[process.execPath, '--import', 'tsx', '--test', `--test-concurrency=${WORKERS}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=tap', `--test-reporter-destination=${report}`],
    ...job.files,
  ];
}

async function runToEnd(
  [file = '', ...args]: readonly string[],
  { cwd, timeoutMs, signal }: { cwd: string; timeoutMs: number; signal: AbortSignal },
): Promise<{ exitCode: number | null; output: string }> {
  const child = spawn(file, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  }
  const end = () => endGroup(child);
  const timer = setTimeout(() => {
    chunks.push(Buffer.from(`\nended after ${timeoutMs / 1000} s: it took too long\n`));
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end);
  try {
    const closed = once(child, 'close');
    // `exit` first: a process that a test left behind may hold the pipes for ever.
    const [exitCode]: (number | null)[] = await once(child, 'exit');
    await Promise.race([closed, pause(OUTPUT_GRACE_MS)]);
    return { exitCode: exitCode ?? null, output: Buffer.concat(chunks).toString() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    end();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** The job is a process group of its own, so that nothing of it outlives it. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself in the same moment.
  }
}
