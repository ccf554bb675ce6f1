import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerId } from '../../shared/ids.ts';
import { RestartTimers } from './restart-timers.ts';

const a = 'a'.repeat(64) as ContainerId;
const b = 'b'.repeat(64) as ContainerId;

/** Timers whose sleeps end when the test says so. */
function rig(onDue?: (id: ContainerId) => Promise<void>) {
  const sleeps: { readonly delayMs: number; readonly wake: () => void }[] = [];
  const started: ContainerId[] = [];
  const timers = new RestartTimers({
    clock: {
      sleep: (delayMs, signal) =>
        new Promise((resolve) => {
          sleeps.push({ delayMs, wake: resolve });
          signal?.addEventListener('abort', () => resolve());
        }),
    },
    onDue: async (id) => {
      started.push(id);
      await onDue?.(id);
    },
  });
  return { timers, sleeps, started };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a restart happens when its time has come', async () => {
  const { timers, sleeps, started } = rig();
  timers.open();
  timers.schedule(a, 200);
  assert.equal(sleeps[0]?.delayMs, 200);
  assert.deepEqual(started, []);
  sleeps[0].wake();
  await settled();
  assert.deepEqual(started, [a]);
});

test('nothing begins before the timers are opened', async () => {
  const { timers, sleeps } = rig();
  timers.schedule(a, 100);
  timers.schedule(b, 100);
  timers.cancel(b);
  assert.deepEqual(sleeps, []);
  timers.open();
  assert.equal(sleeps.length, 1);
});

test('a cancelled restart does not happen', async () => {
  const { timers, sleeps, started } = rig();
  timers.open();
  timers.schedule(a, 100);
  timers.cancel(a);
  sleeps[0]?.wake();
  await settled();
  assert.deepEqual(started, []);
});

test('closing waits for restarts under way and lets no other begin', async () => {
  let finish: () => void = () => undefined;
  const { timers, sleeps, started } = rig(() => new Promise((resolve) => (finish = resolve)));
  timers.open();
  timers.schedule(a, 100);
  timers.schedule(b, 100);
  sleeps[0]?.wake();
  await settled();
  let isClosed = false;
  const closing = timers.close().then(() => {
    isClosed = true;
  });
  timers.schedule(b, 0);
  await settled();
  assert.equal(isClosed, false);
  finish();
  await closing;
  assert.deepEqual(started, [a]);
});
