import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuTicks, median, namedPids, pssBytes } from './measure.ts';

test('the median is the middle, or the mean of the two middles', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

test('the memory of this process is more than nothing and that of a missing one is nothing', async () => {
  assert.ok((await pssBytes([process.pid])) > 1_000_000);
  assert.equal(await pssBytes([2 ** 30]), 0);
});

test('processor time grows with work, and processes are found by name', async () => {
  const before = await cpuTicks([process.pid, 2 ** 30]);
  const { user: usedUs } = process.cpuUsage();
  while (process.cpuUsage().user - usedUs < 100_000);
  assert.ok((await cpuTicks([process.pid])) - before >= 5);
  assert.deepEqual(await namedPids([process.pid, 2 ** 30], /node|MainThread/), [process.pid]);
});
