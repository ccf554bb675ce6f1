import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitWarnings } from './limit-warnings.ts';

test('each limit that has no effect is named', () => {
  assert.deepEqual(limitWarnings({ Memory: 1 << 20, PidsLimit: 10 }), [
    'The memory limit is discarded: no control group is delegated to this user.',
    'The PIDs limit is discarded: no control group is delegated to this user.',
  ]);
});

test('defaults and "no limit" need no warning', () => {
  assert.deepEqual(limitWarnings({ Memory: 0, PidsLimit: -1, CpusetCpus: '' }), []);
});
