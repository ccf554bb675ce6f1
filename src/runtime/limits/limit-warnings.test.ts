import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_LIMITS, NO_LIMITS } from '../../../test/support/fake-limits.ts';
import { emulatedLimits, nicenessOfShares } from './emulated-limits.ts';
import { checkProcessors, limitWarnings } from './limit-warnings.ts';

test('each limit that has no effect is named with the reason', () => {
  assert.deepEqual(limitWarnings({ Memory: 64 << 20, PidsLimit: 10 }, NO_LIMITS), [
    'The memory limit is discarded: no control group is delegated to this user.',
    'The PIDs limit is discarded: no control group is delegated to this user.',
  ]);
});

test('what is emulated is told, and only where no control group does it', () => {
  const resources = { CpusetCpus: '0', CpuShares: 512 };
  const [shares, cpus] = limitWarnings(resources, NO_LIMITS);
  assert.match(shares ?? '', /CPU shares are emulated by a niceness of 3/);
  assert.match(cpus ?? '', /CPU set is emulated by processor affinity/);
  assert.deepEqual(emulatedLimits(resources, NO_LIMITS), { cpus: [0], niceness: 3 });
  assert.deepEqual(limitWarnings(resources, ALL_LIMITS), []);
  assert.deepEqual(emulatedLimits(resources, ALL_LIMITS), {});
  const withoutCpuset = { ...ALL_LIMITS, cpuset: false };
  assert.deepEqual(emulatedLimits(resources, withoutCpuset), { cpus: [0] });
});

test('defaults and "no limit" need neither a word nor a deed', () => {
  const nothing = { Memory: 0, PidsLimit: -1, CpusetCpus: '', CpuShares: 0, MemorySwap: -1 };
  assert.deepEqual(limitWarnings(nothing, NO_LIMITS), []);
  assert.deepEqual(emulatedLimits(nothing, NO_LIMITS), {});
});

test('swap that cannot be limited is told beside a memory limit that can', () => {
  const support = { ...ALL_LIMITS, swap: false };
  const [warning] = limitWarnings({ Memory: 64 << 20, MemorySwap: 128 << 20 }, support);
  assert.match(warning ?? '', /^The swap limit is discarded: its controller is not delegated/);
});

test('niceness falls with shares as the kernel’s weights do, and never favours a container', () => {
  const shares = [262_144, 1024, 820, 512, 256, 2];
  assert.deepEqual(shares.map(nicenessOfShares), [0, 0, 1, 3, 6, 19]);
});

test('processors that are not there are refused in Docker’s words', () => {
  assert.throws(() => checkProcessors({ NanoCpus: 2.5e9 }, NO_LIMITS), {
    message: 'Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available',
  });
  assert.throws(() => checkProcessors({ CpusetCpus: '1-2' }, NO_LIMITS), {
    message: 'Requested CPUs are not available - requested 1-2, available: 0-1',
  });
  checkProcessors({ NanoCpus: 2e9, CpusetCpus: '0,1' }, NO_LIMITS);
});
