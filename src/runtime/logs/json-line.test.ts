import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonLineEncoder } from './json-line.ts';

const time = '2026-11-24T07:27:34.401700000Z';
const lineOf = (data: string | Buffer, attributes?: Record<string, string>) =>
  new JsonLineEncoder(attributes).encode({ time, stream: 'stderr', data: Buffer.from(data) });

test('a plain line is what Docker writes, without the zeros at the end of its time', () => {
  assert.equal(
    lineOf('hello\n'),
    '{"log":"hello\\n","stream":"stderr","time":"2026-11-24T07:27:34.4017Z"}\n',
  );
});

test('attributes stand between stream and time', () => {
  assert.equal(
    lineOf('x\n', { a: '<1>', tag: 't' }),
    '{"log":"x\\n","stream":"stderr","attrs":{"a":"\\u003c1\\u003e","tag":"t"},"time":"2026-11-24T07:27:34.4017Z"}\n',
  );
});

test('a whole second has no fraction', () => {
  const line = new JsonLineEncoder().encode({
    time: '2026-11-24T07:27:30.000000000Z',
    stream: 'stdout',
    data: Buffer.from('x\n'),
  });
  assert.match(line, /"time":"2026-11-24T07:27:30Z"/);
});

for (const text of [
  'quote " and \\',
  'tab\tand\r\n',
  '<a> & b',
  'grün \u2028 €\n',
  '\u0000\u001b[1m\n',
  '',
]) {
  test(`${JSON.stringify(text)} comes back as it was`, () => {
    const line = lineOf(text);
    assert.equal((JSON.parse(line) as { log: string }).log, text);
    assert.doesNotMatch(line, /[<>&\u2028]/);
    assert.equal(line.indexOf('\n'), line.length - 1);
  });
}

test('bytes that are no text become replacement characters', () => {
  const parsed = JSON.parse(lineOf(Buffer.from([0x61, 0xff, 0x0a]))) as { log: string };
  assert.equal(parsed.log, 'a\ufffd\n');
});
