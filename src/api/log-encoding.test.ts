import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../runtime/log-reader.ts';
import { LogEncoder, toDockerTime } from './log-encoding.ts';

const entry = (text: string, stream: LogEntry['stream'] = 'stdout'): LogEntry => ({
  time: '2024-05-06T07:08:09.5+02:00',
  stream,
  data: Buffer.from(text),
});

const encode = (batch: readonly LogEntry[], timestamps: boolean, details?: string) =>
  Buffer.from(
    new LogEncoder({
      framed: false,
      timestamps,
      ...(details === undefined ? {} : { details }),
    }).encode(batch),
  ).toString();

test('times are UTC with nine digits', () => {
  assert.equal(toDockerTime('2024-05-06T07:08:09.5+02:00'), '2024-05-06T05:08:09.500000000Z');
  assert.equal(toDockerTime('2024-05-06T07:08:09+00:00'), '2024-05-06T07:08:09.000000000Z');
  assert.equal(
    toDockerTime('2024-05-06T07:08:09.123456789+00:00'),
    '2024-05-06T07:08:09.123456789Z',
  );
  assert.equal(toDockerTime('2024-05-06T07:08:09.123456789Z'), '2024-05-06T07:08:09.123456789Z');
});

test('only the beginning of a line carries a time', () => {
  const time = '2024-05-06T05:08:09.500000000Z';
  const batch = [entry('long '), entry('err\n', 'stderr'), entry('line\n'), entry('next\n')];
  assert.equal(encode(batch, true), `${time} long ${time} err\nline\n${time} next\n`);
  assert.equal(encode([entry('a\n')], true, ''), `${time}  a\n`);
  assert.equal(encode([entry('a\n')], true, 'b=1,c=2'), `${time} b=1,c=2 a\n`);
  assert.equal(encode(batch, false), 'long err\nline\nnext\n');
});

test('a terminal’s log is raw, others are framed', () => {
  const framed = new LogEncoder({ framed: true, timestamps: false });
  assert.deepEqual(
    [...framed.encode([entry('a'), entry('b', 'stderr')])],
    [1, 0, 0, 0, 0, 0, 0, 1, 97, 2, 0, 0, 0, 0, 0, 0, 1, 98],
  );
});
