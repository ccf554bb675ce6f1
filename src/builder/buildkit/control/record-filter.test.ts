import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CacheEntry } from '../../../storage/cache-source.ts';
import { recordFilter } from './record-filter.ts';

const record = (changes: Partial<CacheEntry>): CacheEntry => ({
  ...{ id: 'a1', parents: [], type: 'regular', description: 'RUN make', sizeBytes: 1 },
  ...{ inUse: false, shared: false, createdMs: 0, lastUsedMs: 0, usageCount: 1 },
  ...changes,
});

for (const [filter, taken, left] of [
  ['id==a1', {}, { id: 'a2' }],
  ['id!=a2', {}, { id: 'a2' }],
  ['type~=exec.*', { type: 'exec.cachemount' }, {}],
  ['description~="make$"', {}, { description: 'RUN cp' }],
  ['inuse', { inUse: true }, {}],
  ['private,type==regular', {}, { shared: true }],
  ['immutable', {}, { type: 'source.local' }],
] as const) {
  test(`${filter} chooses records`, () => {
    const takes = recordFilter([filter]);
    assert.equal(takes(record(taken)), true);
    assert.equal(takes(record(left)), false);
  });
}

test('one of several filters is enough, and without any every record is taken', () => {
  assert.equal(recordFilter(['id==x', 'id==a1'])(record({})), true);
  assert.equal(recordFilter([])(record({})), true);
  assert.equal(recordFilter([''])(record({})), true);
});

test('filters that make no sense are refused', () => {
  assert.throws(() => recordFilter(['color==red'])(record({})), /color/);
  assert.throws(() => recordFilter(['type~=(']), /invalid value/);
  assert.throws(() => recordFilter(['?']), /invalid value/);
});
