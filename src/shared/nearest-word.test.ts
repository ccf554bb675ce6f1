import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearestWord } from './nearest-word.ts';

test('the distance counts insertions, deletions and replacements', () => {
  assert.equal(editDistance('kitten', 'sitting'), 3);
  assert.equal(editDistance('', 'abc'), 3);
  assert.equal(editDistance('same', 'same'), 0);
});

test('the closest word is meant', () => {
  assert.equal(nearestWord('debgu', ['hosts', 'debug', 'bip']), 'debug');
});

test('a word that resembles nothing has no neighbour', () => {
  assert.equal(nearestWord('zzzzzzzz', ['hosts', 'debug']), undefined);
});
