/** The promise that nothing is left of a daemon. */
import assert from 'node:assert/strict';
import { eventually } from '../eventually.ts';
import { NO_TRACES, tracesOf } from '../traces.ts';
import type { PingDaemon } from './ping-daemon.ts';

/** Fails unless every trace is gone; waits for the system's init to collect what was ended. */
export async function leavesNothing(
  daemon: PingDaemon,
  namespace: string | undefined,
): Promise<void> {
  await eventually(async () => {
    assert.deepEqual(await tracesOf(daemon.home, namespace), NO_TRACES);
    return true;
  });
}
