import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_LIMITS } from '../../../test/support/fake-limits.ts';
import { shortcomings } from './shortcomings.ts';

const facts = {
  hardLimits: new Map([['Max open files', 1024]]),
  oomScoreAdj: 100,
  limits: ALL_LIMITS,
};

test('a ulimit above the hard limit is reported with what it becomes', () => {
  const Ulimits = [{ Name: 'nofile', Soft: 512, Hard: 4096 }];
  assert.deepEqual(shortcomings({ Ulimits }, facts), [
    'The ulimit nofile is lowered to 1024, the hard limit of the user of this engine.',
  ]);
  assert.equal(
    shortcomings({ Ulimits: [{ Name: 'nofile', Soft: -1, Hard: -1 }] }, facts).length,
    1,
  );
});

test('limits within reach, and unknown hard limits, need no word', () => {
  const Ulimits = [
    { Name: 'nofile', Soft: 512, Hard: 1024 },
    { Name: 'core', Soft: -1, Hard: -1 },
  ];
  assert.deepEqual(shortcomings({ Ulimits }, facts), []);
});

test('an out-of-memory score below ours is reported', () => {
  assert.match(shortcomings({ OomScoreAdj: -500 }, facts)[0] ?? '', /raised to 100/);
  assert.deepEqual(shortcomings({ OomScoreAdj: 500 }, facts), []);
  assert.deepEqual(shortcomings({}, facts), []);
});

test('a security option that does not exist is refused before anything is made', () => {
  for (const option of ['nonsense', 'systempaths=open', 'writable-cgroups=perhaps', 'seccomp=']) {
    assert.throws(() => shortcomings({ SecurityOpt: [option] }, facts), {
      kind: 'invalid-argument',
      message: `invalid --security-opt: "${option}"`,
    });
  }
});
