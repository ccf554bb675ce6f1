/** The program of the threads that unpack layers. */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { invariant } from '../shared/errors.ts';
import { serveUnpacking } from '../storage/unpack/threads/serve-unpacking.ts';

const NICENESS = 5;

invariant(parentPort !== null, 'this program is a thread of the engine');
// Of this thread alone (setpriority(2)): the one that answers requests has the processor first.
setPriority(NICENESS);
serveUnpacking(parentPort);
