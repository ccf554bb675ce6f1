import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeLine, LineDecoder, MAX_LINE_BYTES } from './line-codec.ts';

test('values survive whatever the borders of the chunks are', () => {
  const values = [{ a: 'zwei\nZeilen' }, [1, 2], 'ü€'];
  const bytes = Buffer.from(values.map(encodeLine).join(''));
  for (let size = 1; size <= bytes.length; size++) {
    const decoder = new LineDecoder();
    const decoded: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      decoded.push(...decoder.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(decoded, values);
  }
});

test('an unfinished line is no value yet', () => {
  assert.deepEqual(new LineDecoder().push(Buffer.from('{"a":')), []);
});

test('a line that is no JSON is refused', () => {
  assert.throws(() => new LineDecoder().push(Buffer.from('hello\n')), /not JSON/);
});

test('a line that never ends is refused instead of being kept', () => {
  const decoder = new LineDecoder();
  assert.throws(() => {
    for (let sent = 0; sent <= MAX_LINE_BYTES; sent += 65_536)
      decoder.push(Buffer.alloc(65_536, 'x'));
  }, /longer than/);
});
