/** Short, bounded commands whose output is wanted as text. */
import type { Command, Completed, ProcessExit, StdioSlot } from './command.ts';
import { commandCancelled, commandFailed, commandTimedOut } from './exec-errors.ts';
import { drained, OutputCollector } from './output-collector.ts';
import { traceFinished } from './process-settings.ts';
import { type ChildProcessHandle, spawnProcess } from './spawn.ts';
import { terminate } from './terminate.ts';

/** Bounds and input of a command. */
export interface RunOptions {
  /** The command is killed after this many milliseconds. */
  readonly timeoutMs: number;
  /** Kills the command when it aborts. */
  readonly signal?: AbortSignal;
  /** Written to its stdin, which is then closed; `/dev/null` when absent. */
  readonly stdin?: string | Uint8Array;
  /** Cap on each of stdout and stderr; the middle of longer output is dropped. Default 1 MiB. */
  readonly maxBytes?: number;
}

const DEFAULT_MAX_BYTES = 1 << 20;
const KILL_GRACE_MS = 500;

/**
 * Runs a command to its end. A non-zero exit is a result. Rejects with `unavailable` when the program is not
 * installed, `deadline` after `timeoutMs`, `cancelled` on abort; the process has ended in each case.
 */
export async function run(command: Command, options: RunOptions): Promise<Completed> {
  if (options.signal?.aborted === true) throw commandCancelled(command, options.signal.reason);
  const startedAt = performance.now();
  const input: StdioSlot = options.stdin === undefined ? 'ignore' : 'pipe-in';
  const child = spawnProcess(command, { stdio: [input, 'pipe-out', 'pipe-out'] });
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const stdout = new OutputCollector(child.readable(1), maxBytes);
  const stderr = new OutputCollector(child.readable(2), maxBytes);
  if (options.stdin !== undefined) child.writable(0).end(options.stdin);
  try {
    const exit = await endWithin(child, command, options);
    await drained([stdout, stderr]);
    return complete({ command, child, startedAt }, exit, [stdout, stderr]);
  } finally {
    stdout.destroy();
    stderr.destroy();
    if (options.stdin !== undefined) child.writable(0).destroy();
  }
}

/** `completed` when it ended with exit code 0; throws `internal` with code, argv and error output otherwise. */
export function expectSuccess(completed: Completed, what: string): Completed {
  if (completed.exitCode === 0) return completed;
  throw commandFailed(completed, what);
}

async function endWithin(
  child: ChildProcessHandle,
  command: Command,
  options: RunOptions,
): Promise<ProcessExit> {
  const { signal, timeoutMs } = options;
  let interrupt: (reason: Error) => void = ignore;
  const interrupted = new Promise<Error>((resolve) => {
    interrupt = resolve;
  });
  const timer = setTimeout(() => interrupt(commandTimedOut(command, timeoutMs)), timeoutMs);
  const onAbort = () => interrupt(commandCancelled(command, signal?.reason));
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const outcome = await Promise.race([child.exited, interrupted]);
    if (!(outcome instanceof Error)) return outcome;
    await terminate(child, KILL_GRACE_MS);
    throw outcome;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function complete(
  { command, child, startedAt }: { command: Command; child: ChildProcessHandle; startedAt: number },
  exit: ProcessExit,
  [stdout, stderr]: readonly [OutputCollector, OutputCollector],
): Completed {
  const durationMs = performance.now() - startedAt;
  traceFinished({ argv: [command.file, ...command.args], pid: child.pid, durationMs, ...exit });
  return {
    ...exit,
    command,
    stdout: stdout.text(),
    stderr: stderr.text(),
    truncated: stdout.truncated || stderr.truncated,
    durationMs,
  };
}

function ignore(): undefined {
  return undefined;
}
