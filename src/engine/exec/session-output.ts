/** The output of an exec session for one client. */
import type { ExecHandle, OutputChunk } from '../../runtime/task-runner.ts';
import type { CreateExecRequest } from './create-exec-request.ts';

/**
 * The streams that the client attached, until the process has ended or `signal` aborts. The rest is read and
 * dropped, so that a process is never blocked by a stream that nobody wants.
 */
export async function* sessionOutput(
  handle: Pick<ExecHandle, 'output' | 'exit'>,
  request: Pick<CreateExecRequest, 'attachStdout' | 'attachStderr' | 'tty'>,
  signal: AbortSignal,
): AsyncGenerator<OutputChunk> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const chunks = handle.output[Symbol.asyncIterator]();
  while (true) {
    const next = await Promise.race([chunks.next(), aborted]);
    if (next === undefined) {
      drain(chunks);
      return;
    }
    if (next.done === true) break;
    if (isWanted(next.value, request)) yield next.value;
  }
  await Promise.race([handle.exit, aborted]);
}

function isWanted(
  chunk: OutputChunk,
  request: Pick<CreateExecRequest, 'attachStdout' | 'attachStderr' | 'tty'>,
): boolean {
  if (request.tty) return true;
  return chunk.stream === 'stdout' ? request.attachStdout : request.attachStderr;
}

/** Reads on for a client that has gone: its process must not fill a pipe and hang. */
function drain(chunks: AsyncIterator<OutputChunk>): void {
  const readOn = async () => {
    while ((await chunks.next()).done !== true);
  };
  readOn().catch(() => undefined);
}
