/** Two streams of one process as one sequence. */
import type { Readable } from 'node:stream';
import type { OutputChunk } from '../task-runner.ts';

type StreamName = OutputChunk['stream'];

/**
 * Chunks in the order of their arrival until both streams have ended. Reads only as fast as the consumer takes;
 * a consumer that leaves early closes both.
 */
export async function* mergeOutput(
  streams: Readonly<Record<StreamName, Readable>>,
): AsyncGenerator<OutputChunk> {
  const sources = new Map<StreamName, AsyncIterator<Buffer>>([
    ['stdout', streams.stdout[Symbol.asyncIterator]()],
    ['stderr', streams.stderr[Symbol.asyncIterator]()],
  ]);
  const pending = new Map<StreamName, Promise<Arrival>>();
  try {
    while (sources.size > 0) {
      for (const [stream, source] of sources) {
        if (!pending.has(stream)) pending.set(stream, nextOf(stream, source));
      }
      const { stream, data } = await Promise.race(pending.values());
      pending.delete(stream);
      if (data === undefined) sources.delete(stream);
      else yield { stream, data };
    }
  } finally {
    streams.stdout.destroy();
    streams.stderr.destroy();
  }
}

interface Arrival {
  readonly stream: StreamName;
  /** Undefined at the end. */
  readonly data: Buffer | undefined;
}

async function nextOf(stream: StreamName, source: AsyncIterator<Buffer>): Promise<Arrival> {
  try {
    const next = await source.next();
    return { stream, data: next.done === true ? undefined : next.value };
  } catch {
    // A stream destroyed under us: nothing more comes from it.
    return { stream, data: undefined };
  }
}
