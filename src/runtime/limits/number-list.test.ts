import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNumberList, parseNumberList } from './number-list.ts';

test('lists of numbers and ranges are read in any order and written at their shortest', () => {
  assert.deepEqual(parseNumberList('4,0-2,1'), [0, 1, 2, 4]);
  assert.deepEqual(parseNumberList('3\n'), [3]);
  assert.equal(formatNumberList([0, 1, 2, 4]), '0-2,4');
  assert.equal(formatNumberList([]), '');
});

test('what is no list has no numbers', () => {
  for (const text of ['', 'a', '1-', '2-1', '1,,2', '-1', '0-99999999999']) {
    assert.equal(parseNumberList(text), undefined, text);
  }
});
