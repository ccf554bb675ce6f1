/** The stdin of an exec session without a terminal. */
import type { Writable } from 'node:stream';
import { stdinClosed } from '../runtime-errors.ts';
import type { StdinSink } from '../task-runner.ts';

/** A sink over our end of the process's stdin pipe. */
export function pipeStdin(pipe: Writable): StdinSink {
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        pipe.write(chunk, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(stdinClosed(error));
        });
      }),
    end: () =>
      new Promise((resolve) => {
        // A process that has gone already reads no end either, and a stream that is destroyed forgets who waits.
        if (pipe.destroyed) return resolve();
        pipe.once('close', () => resolve());
        pipe.end(() => resolve());
      }),
    // The pipe stays open for as long as the process runs; its stream goes with the session.
    detach: () => Promise.resolve(),
  };
}
