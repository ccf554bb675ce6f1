import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBoolean, decodeInteger, decodeTail, decodeTimestamp } from './query.ts';

test('booleans are false for five words in any case and true for the rest', () => {
  for (const text of ['', '0', 'no', 'FALSE', 'None'])
    assert.equal(decodeBoolean(text, true), false);
  for (const text of ['1', 'true', 'yes', 'x']) assert.equal(decodeBoolean(text), true);
  assert.equal(decodeBoolean(undefined), false);
  assert.equal(decodeBoolean(undefined, true), true);
});

test('integers are whole numbers or refused', () => {
  assert.equal(decodeInteger('t', '-1'), -1);
  assert.equal(decodeInteger('t', ''), undefined);
  for (const text of ['x', '1.5', '1e3', '99999999999999999999']) {
    assert.throws(() => decodeInteger('t', text), { kind: 'invalid-argument' });
  }
});

test('a tail that is no number means everything', () => {
  assert.equal(decodeTail('10'), 10);
  assert.equal(decodeTail('0'), 0);
  for (const text of ['all', '', '-1', 'garbage', undefined])
    assert.equal(decodeTail(text), undefined);
});

test('times are Unix seconds with a fraction or RFC 3339', () => {
  assert.equal(decodeTimestamp('since', '1700000000.250000000'), 1_700_000_000.25);
  assert.equal(decodeTimestamp('since', '1970-01-01T00:01:00Z'), 60);
  assert.equal(decodeTimestamp('since', '1970-01-01T01:00:00.5+01:00'), 0.5);
  for (const text of [undefined, '', '0']) assert.equal(decodeTimestamp('since', text), undefined);
  for (const text of ['x', '10m', '1970-13-01T00:00:00Z']) {
    assert.throws(() => decodeTimestamp('since', text), { kind: 'invalid-argument' });
  }
});
