import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheEntry } from '../../storage/cache-source.ts';
import { chooseEvictions, type EvictionRule } from './choose-evictions.ts';

const HOUR_MS = 3600 * 1000;
const NOW_MS = 1000 * HOUR_MS;
const DISK = { totalBytes: 1000, freeBytes: 500 };

function entry(id: string, idleHours: number, more: Partial<CacheEntry> = {}): CacheEntry {
  return {
    ...{ id, type: 'regular', description: id, sizeBytes: 100, createdMs: 0, usageCount: 1 },
    ...{ inUse: false, shared: false, parents: [], lastUsedMs: NOW_MS - idleHours * HOUR_MS },
    ...more,
  };
}

const ENTRIES = [entry('new', 1), entry('old', 100), entry('middle', 50)];

function chosen(policy: Partial<EvictionRule>, entries = ENTRIES, disk = DISK): readonly string[] {
  const whole = { all: false, keepDurationMs: 0, filter: {}, ...policy };
  return chooseEvictions(entries, whole, { disk, nowMs: NOW_MS }).map(({ id }) => id);
}

test('without limits everything goes, what was idle for the longest time first', () => {
  assert.deepEqual(chosen({}), ['old', 'middle', 'new']);
});

test('only as much goes as is too much', () => {
  assert.deepEqual(chosen({ maxUsedSpace: { bytes: 200 } }), ['old']);
  assert.deepEqual(chosen({ maxUsedSpace: { bytes: 199 } }), ['old', 'middle']);
  assert.deepEqual(chosen({ maxUsedSpace: { percent: 30 } }), []);
  assert.deepEqual(chosen({ maxUsedSpace: { percent: 30, bytes: 200 } }), ['old']);
});

test('what is reserved stays, whatever the disk lacks', () => {
  const full = { totalBytes: 1000, freeBytes: 0 };
  assert.deepEqual(chosen({ minFreeSpace: { bytes: 150 } }, ENTRIES, full), ['old', 'middle']);
  const policy = { minFreeSpace: { bytes: 150 }, reservedSpace: { bytes: 200 } };
  assert.deepEqual(chosen(policy, ENTRIES, full), ['old']);
  assert.deepEqual(chosen({ reservedSpace: { bytes: 100 } }), ['old', 'middle']);
});

test('nothing goes for the sake of free space that is there', () => {
  assert.deepEqual(chosen({ minFreeSpace: { bytes: 500 } }), []);
});

test('what was of use since stays', () => {
  assert.deepEqual(chosen({ keepDurationMs: 60 * HOUR_MS }), ['old']);
});

test('what is in use stays, and what is shared or internal unless all goes', () => {
  const entries = [
    entry('used', 9, { inUse: true }),
    entry('shared', 8, { shared: true }),
    entry('internal', 7, { type: 'internal' }),
    entry('plain', 6),
  ];
  assert.deepEqual(chosen({}, entries), ['plain']);
  assert.deepEqual(chosen({ all: true }, entries), ['shared', 'internal', 'plain']);
});

test('a filter takes one value of each name', () => {
  const entries = [entry('a', 3, { type: 'x' }), entry('b', 2, { type: 'y' }), entry('c', 1)];
  assert.deepEqual(chosen({ filter: { type: ['x', 'y'] } }, entries), ['a', 'b']);
  assert.deepEqual(chosen({ filter: { type: ['x', 'y'], 'unused-for': ['3h'] } }, entries), ['a']);
  assert.deepEqual(chosen({ filter: { id: ['c'], description: ['b'] } }, entries), []);
});

test('a condition of the client holds together with the others', () => {
  const matches = ({ id }: CacheEntry) => id !== 'middle';
  assert.deepEqual(chosen({ matches }), ['old', 'new']);
  assert.deepEqual(chosen({ matches, keepDurationMs: 10 * HOUR_MS }), ['old']);
  assert.deepEqual(chosen({ matches, maxUsedSpace: { bytes: 150 } }), ['old', 'new']);
});
