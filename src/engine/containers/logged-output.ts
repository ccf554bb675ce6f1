/** From the log of a task to the output that clients read. */
import type { LogEntry } from '../../runtime/log-reader.ts';
import type { OutputChunk } from '../../runtime/task-runner.ts';

/** Which of the two streams a client asked for. */
export interface StreamChoice {
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** Only the entries of the chosen streams; batches that become empty are dropped. */
export async function* chooseStreams(
  batches: AsyncIterable<readonly LogEntry[]>,
  choice: StreamChoice,
): AsyncGenerator<readonly LogEntry[]> {
  for await (const batch of batches) {
    const chosen =
      choice.stdout && choice.stderr ? batch : batch.filter((entry) => choice[entry.stream]);
    if (chosen.length > 0) yield chosen;
  }
}

/** The bytes without their times; neighbours of one stream become one chunk, so that few frames are sent. */
export async function* toOutput(
  batches: AsyncIterable<readonly LogEntry[]>,
): AsyncGenerator<OutputChunk> {
  for await (const batch of batches) {
    let from = 0;
    for (let at = 1; at <= batch.length; at++) {
      const first = batch[from];
      if (first === undefined || batch[at]?.stream === first.stream) continue;
      yield { stream: first.stream, data: join(batch, from, at) };
      from = at;
    }
  }
}

function join(batch: readonly LogEntry[], from: number, to: number): Uint8Array {
  const [only] = to - from === 1 ? batch.slice(from, to) : [];
  return only?.data ?? Buffer.concat(batch.slice(from, to).map((entry) => entry.data));
}
