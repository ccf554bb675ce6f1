/**
 * The network namespace that this program was started in and has left. A thread that has left it can never return:
 * it belongs to a user namespace above. But namespaces are those of threads, and the threads of node's pool stay
 * where they are: what a call in the background starts there is in the outer network.
 */
import { closeSync, openSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { checked, nativeFunction } from '../native.ts';

const CLONE_NEWNET = 0x40000000;

const cSetns = nativeFunction('int setns(int fd, int type)');

let hasLeft = false;

/**
 * Moves the main thread, and with it every thread that is made from now on, into the network namespace at `path`.
 * To be called once, before anything else: nothing in the background must touch the network after it.
 */
export async function leaveOuterNetwork(path: string): Promise<void> {
  // The first call in the background makes all threads of the pool at once (libuv).
  await stat('/');
  const fd = openSync(path, 'r');
  try {
    checked(cSetns(fd, CLONE_NEWNET), 'setns', path);
    hasLeft = true;
  } finally {
    closeSync(fd);
  }
}

/** Whether there is another network than that of the main thread. */
export function hasOuterNetwork(): boolean {
  return hasLeft;
}
