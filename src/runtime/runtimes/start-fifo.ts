/**
 * Letting a created container run without executing the runtime again. Between `create` and `start` the init
 * process waits on a fifo, `exec.fifo` in the runtime's state directory: crun's reads a byte from it, runc's
 * blocks until it can write one. `start` is the other end of that dialogue and then removes the fifo, which is
 * how later commands know that the container runs. A probe finds out which way a runtime does it.
 */
import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { fromNodeError } from '../../sys/system-errors.ts';
import { watchDescriptor } from '../../sys/watch-descriptor.ts';
import { probeFailed } from '../runtime-errors.ts';

/** Name of the fifo in the state directory of a container: the same in crun and runc. */
export const START_FIFO = 'exec.fifo';

/** Who speaks in the dialogue: we write to the init process, or we read what it writes. */
export type FifoDialogue = 'write' | 'read';

const INIT_ANSWERS_WITHIN_MS = 10_000;

/** Plays the part of `start`. Rejects with `ENOENT` in `details.code` when the container has gone already. */
export async function releaseInit(fifoPath: string, dialogue: FifoDialogue): Promise<void> {
  // Open for both directions: neither blocks for want of a peer nor sees an end before the peer came.
  const fd = openFifo(fifoPath);
  try {
    if (dialogue === 'read') await firstByte(fd, fifoPath);
    else writeSync(fd, Buffer.alloc(1));
    rmSync(fifoPath, { force: true });
  } finally {
    closeSync(fd);
  }
}

function openFifo(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw fromNodeError(error, 'open the start fifo');
  }
}

/** The byte itself means nothing and goes away with the fifo. */
function firstByte(fd: number, fifoPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watch = watchDescriptor(fd, 'readable', () => {
      clearTimeout(timer);
      watch.stop();
      resolve();
    });
    const timer = setTimeout(() => {
      watch.stop();
      reject(probeFailed(`the init process never wrote to ${fifoPath}`));
    }, INIT_ANSWERS_WITHIN_MS);
  });
}
