import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRlimits } from './rlimits.ts';
import { parseHardLimits } from './spec-facts.ts';

const limits = parseHardLimits(
  [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            1024                 4096                 files     ',
    'Max locked memory         unlimited            unlimited            bytes     ',
    '',
  ].join('\n'),
);

test('hard limits are read by name', () => {
  assert.equal(limits.get('Max open files'), 4096);
  assert.equal(limits.get('Max locked memory'), Number.POSITIVE_INFINITY);
});

test('limits beyond our own are lowered to it', () => {
  assert.deepEqual(toRlimits([{ Name: 'nofile', Soft: 1000, Hard: 65_536 }], limits), [
    { type: 'RLIMIT_NOFILE', soft: 1000, hard: 4096 },
  ]);
  const [memlock] = toRlimits([{ Name: 'memlock', Soft: -1, Hard: -1 }], limits);
  assert.equal(memlock?.hard, 2 ** 64 - 1);
});

test('a limit that does not exist is refused', () => {
  assert.throws(
    () => toRlimits([{ Name: 'luck', Soft: 1, Hard: 1 }], limits),
    /invalid ulimit type: luck/,
  );
});
