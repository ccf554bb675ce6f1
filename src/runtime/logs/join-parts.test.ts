import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartJoiner } from './join-parts.ts';
import type { Message } from './json-line.ts';

const entry = (data: string, stream: 'stdout' | 'stderr' = 'stdout', time = 't1') => ({
  time,
  stream,
  data: Buffer.from(data),
});
const shown = (messages: readonly Message[]) =>
  messages.map(({ stream, data, time }) => [stream, Buffer.from(data).toString(), time]);

test('whole lines go through', () => {
  assert.deepEqual(shown(new PartJoiner().add(entry('a\n'))), [['stdout', 'a\n', 't1']]);
});

test('the parts of a line become one message, each stream for itself, with the time of the first', () => {
  const joiner = new PartJoiner();
  assert.deepEqual(joiner.add(entry('one ')), []);
  assert.deepEqual(shown(joiner.add(entry('other\n', 'stderr', 't2'))), [
    ['stderr', 'other\n', 't2'],
  ]);
  assert.deepEqual(shown(joiner.add(entry('line\n', 'stdout', 't3'))), [
    ['stdout', 'one line\n', 't1'],
  ]);
});

test('a line of more than 16 KiB is split there, and its newline makes no message of its own', () => {
  const joiner = new PartJoiner();
  const messages = [
    ...joiner.add(entry('x'.repeat(10_000))),
    ...joiner.add(entry('x'.repeat(10_000))),
    ...joiner.add(entry(`${'x'.repeat(12_768)}\n`)),
  ];
  assert.deepEqual(
    messages.map(({ data }) => data.length),
    [16_384, 16_385],
  );
});

test('what is held back can be written down and taken up again', () => {
  const first = new PartJoiner();
  first.add(entry('pass'));
  const second = new PartJoiner(first.held);
  assert.deepEqual(shown(second.add(entry('word\n'))), [['stdout', 'password\n', 't1']]);
  assert.deepEqual(second.held, {});
});

test('at the end what is held back is a message without a newline', () => {
  const joiner = new PartJoiner();
  joiner.add(entry('prompt: '));
  assert.deepEqual(shown(joiner.flush()), [['stdout', 'prompt: ', 't1']]);
  assert.deepEqual(joiner.flush(), []);
});
