import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countMappedFromZero } from './own-ids.ts';

test('mapped ids are counted from zero up to the first gap', () => {
  assert.equal(countMappedFromZero('0 1000 1\n1 100000 65536\n'), 65_537);
  assert.equal(countMappedFromZero('0 1000 1\n'), 1);
  assert.equal(countMappedFromZero('0 1000 1\n5 100000 10\n'), 1);
  assert.equal(countMappedFromZero('0 0 4294967295\n'), 4_294_967_295);
});
