import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockJumps } from './clock-jumps.ts';

test('sleep and a set clock are told once, the course of time is not', () => {
  const at = { wall: 1_000_000, steady: 500 };
  let jumps = 0;
  const clocks = { wall: () => at.wall, steady: () => at.steady };
  const watch = new ClockJumps(() => {
    jumps += 1;
  }, clocks);
  const pass = (wallMs: number, steadyMs: number) => {
    at.wall += wallMs;
    at.steady += steadyMs;
    watch.look();
    return jumps;
  };
  assert.equal(pass(60_000, 60_000), 0);
  assert.equal(pass(3_600_500, 500), 1);
  assert.equal(pass(500, 500), 1);
  assert.equal(pass(-86_400_000, 500), 2);
  watch.close();
});
