import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstreamHealth } from './upstream-health.ts';

test('a server that was silent is asked last and briefly, until it answers or time has passed', () => {
  let now = 0;
  const health = new UpstreamHealth({ now: () => now });
  const order = () => health.order(['first', 'second']).map((one) => [one.server, one.timeoutMs]);
  const fresh = [
    ['first', 4000],
    ['second', 4000],
  ];
  assert.deepEqual(order(), fresh);
  health.note('first', false);
  assert.deepEqual(order(), [
    ['second', 4000],
    ['first', 500],
  ]);
  health.note('first', true);
  assert.deepEqual(order(), fresh);
  health.note('first', false);
  now = 11_000;
  assert.deepEqual(order(), fresh);
});
