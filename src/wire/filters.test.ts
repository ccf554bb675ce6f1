import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertKnownFilters, decodeFilters } from './filters.ts';

const plain = (text: string | undefined) => Object.fromEntries(decodeFilters(text));

test('both shapes give the same filters', () => {
  assert.deepEqual(plain('{"label":{"a=b":true,"c":true}}'), { label: ['a=b', 'c'] });
  assert.deepEqual(plain('{"label":["a=b","c"]}'), { label: ['a=b', 'c'] });
});

test('nothing, null and values marked false filter nothing', () => {
  for (const text of [undefined, '', 'null', '{}']) assert.deepEqual(plain(text), {});
  assert.deepEqual(plain('{"label":{"a":false}}'), { label: [] });
  assert.deepEqual(plain('{"label":null}'), { label: [] });
});

test('anything else is refused', () => {
  for (const text of ['{', '[]', '7', '{"label":7}', '{"label":[7]}', '{"label":"a"}']) {
    assert.throws(() => decodeFilters(text), {
      kind: 'invalid-argument',
      message: 'invalid filter',
    });
  }
});

test('an unknown name is named', () => {
  const filters = decodeFilters('{"label":["a"],"nope":["b"]}');
  assert.throws(() => assertKnownFilters(filters, ['label']), { message: "invalid filter 'nope'" });
  assertKnownFilters(filters, ['label', 'nope']);
});
