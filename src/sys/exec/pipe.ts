/** Commands that bytes flow through. */
import type { Readable, Writable } from 'node:stream';
import type { Command, Completed, ProcessExit } from './command.ts';
import { commandCancelled } from './exec-errors.ts';
import { drained, OutputCollector } from './output-collector.ts';
import { traceFinished } from './process-settings.ts';
import { type ChildProcessHandle, spawnProcess } from './spawn.ts';
import { terminate } from './terminate.ts';

/** A command whose stdin and stdout are streams of ours. */
export interface Pipeline {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /**
   * Resolves when the process has ended, with its error output (`stdout` is empty: it was streamed). Rejects with
   * `cancelled` after an abort. A non-zero exit is a result: see `expectSuccess`.
   */
  readonly done: Promise<Completed>;
}

const MAX_ERROR_OUTPUT_BYTES = 64 << 10;
const KILL_GRACE_MS = 500;

/** Starts a command with back-pressure on both streams. Throws `unavailable` when it is not installed. */
export function pipe(command: Command, options: { readonly signal?: AbortSignal } = {}): Pipeline {
  if (options.signal?.aborted === true) throw commandCancelled(command, options.signal.reason);
  const startedAt = performance.now();
  const child = spawnProcess(command, { stdio: ['pipe-in', 'pipe-out', 'pipe-out'] });
  const stderr = new OutputCollector(child.readable(2), MAX_ERROR_OUTPUT_BYTES);
  const done = ended(child, command, options.signal).then(async (exit): Promise<Completed> => {
    child.writable(0).destroy();
    await drained([stderr]);
    stderr.destroy();
    const durationMs = performance.now() - startedAt;
    traceFinished({ argv: [command.file, ...command.args], pid: child.pid, durationMs, ...exit });
    const { truncated } = stderr;
    return { ...exit, command, stdout: '', stderr: stderr.text(), truncated, durationMs };
  });
  // Whoever only consumes stdout need not look at `done`; the stream's own end tells them enough.
  done.catch(() => undefined);
  return { stdin: child.writable(0), stdout: child.readable(1), done };
}

async function ended(
  child: ChildProcessHandle,
  command: Command,
  signal: AbortSignal | undefined,
): Promise<ProcessExit> {
  const onAbort = () => {
    child.writable(0).destroy();
    child.readable(1).destroy(commandCancelled(command, signal?.reason));
    terminate(child, KILL_GRACE_MS).catch(() => undefined);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const exit = await child.exited;
    if (signal?.aborted === true) throw commandCancelled(command, signal.reason);
    return exit;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
