import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochSecondsOf, parseRecords } from './k8s-line-parser.ts';

const time = '2026-11-24T07:27:34.401705300+00:00';

test('a full line keeps the newline of the process, a part has none', () => {
  const { entries } = parseRecords(Buffer.from(`${time} stdout F hi\n${time} stderr P no\n`));
  assert.deepEqual(
    entries.map(({ stream, data }) => [stream, Buffer.from(data).toString()]),
    [
      ['stdout', 'hi\n'],
      ['stderr', 'no'],
    ],
  );
});

test('times are in the form that Docker prints', () => {
  const { entries } = parseRecords(Buffer.from(`${time} stdout F \n`));
  assert.equal(entries[0]?.time, '2026-11-24T07:27:34.401705300Z');
});

test('times with another offset are kept as they are', () => {
  const { entries } = parseRecords(Buffer.from('2026-11-24T08:27:34.4+01:00 stdout F x\n'));
  assert.equal(entries[0]?.time, '2026-11-24T08:27:34.4+01:00');
});

test('content of any bytes survives', () => {
  const content = Buffer.from([0, 0xff, 0x0d, 0x20, 0x80]);
  const record = Buffer.concat([Buffer.from(`${time} stdout P `), content, Buffer.from('\n')]);
  assert.deepEqual(Buffer.from(parseRecords(record).entries[0]?.data ?? []), content);
});

test('an empty line is an entry of one newline', () => {
  const { entries } = parseRecords(Buffer.from(`${time} stdout F \n`));
  assert.equal(Buffer.from(entries[0]?.data ?? []).toString(), '\n');
});

test('the beginning of a record is left for later', () => {
  const whole = `${time} stdout F one\n`;
  const { entries, consumed } = parseRecords(Buffer.from(`${whole}${time} std`));
  assert.equal(entries.length, 1);
  assert.equal(consumed, whole.length);
});

test('a torn line is left out and the next one is read', () => {
  const { entries } = parseRecords(Buffer.from(`2026-11-24T0\n\n${time} stdout F ok\n`));
  assert.deepEqual(
    entries.map(({ data }) => Buffer.from(data).toString()),
    ['ok\n'],
  );
});

test('times become epoch seconds with their fraction', () => {
  assert.equal(epochSecondsOf('1970-01-01T00:00:01.500000000Z'), 1.5);
  assert.equal(epochSecondsOf('1970-01-01T01:00:01.500000000+01:00'), 1.5);
  assert.ok(Number.isNaN(epochSecondsOf('yesterday')));
});
