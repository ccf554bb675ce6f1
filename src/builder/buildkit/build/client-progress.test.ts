import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../shared/clock.ts';
import { ClientProgress } from './client-progress.ts';
import { StatusLog } from './status-log.ts';

test('progress in many small pieces is told now and then, and its end exactly', async () => {
  const log = new StatusLog();
  let now = 0;
  const progress = new ClientProgress(log, { ...systemClock, now: () => now });
  await progress.step('load', async (step) => {
    for (let bytes = 1; bytes <= 1000; bytes++) {
      now += 1;
      step.status('transferring', bytes);
    }
  });
  log.end();
  const told: number[] = [];
  for await (const { statuses = [] } of log.follow(new AbortController().signal)) {
    told.push(...statuses.map(({ current }) => Number(current)));
  }
  assert.equal(told.at(0), 1);
  assert.equal(told.at(-1), 1000);
  assert.ok(told.length <= 12, told.join());
});
