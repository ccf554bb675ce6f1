/** The program of the threads that unpack layers. */
import { parentPort } from 'node:worker_threads';
import { invariant } from '../shared/errors.ts';
import { serveUnpacking } from '../storage/unpack/threads/serve-unpacking.ts';

invariant(parentPort !== null, 'this program is a thread of the engine');
serveUnpacking(parentPort);
