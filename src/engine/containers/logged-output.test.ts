import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogEntry } from '../../runtime/log-reader.ts';
import { chooseStreams, toOutput } from './logged-output.ts';

const entry = (stream: LogEntry['stream'], text: string): LogEntry => ({
  time: '2026-01-01T00:00:00Z',
  stream,
  data: Buffer.from(text),
});

async function* batches(...all: LogEntry[][]) {
  yield* all;
}

async function texts(source: AsyncIterable<{ stream: string; data: Uint8Array }>) {
  const seen: string[] = [];
  for await (const chunk of source) seen.push(`${chunk.stream}:${Buffer.from(chunk.data)}`);
  return seen;
}

test('neighbours of one stream are joined and the order is kept', async () => {
  const source = batches([
    entry('stdout', 'a\n'),
    entry('stdout', 'b'),
    entry('stderr', 'x'),
    entry('stdout', 'c'),
  ]);
  assert.deepEqual(await texts(toOutput(source)), ['stdout:a\nb', 'stderr:x', 'stdout:c']);
});

test('only the chosen stream is read', async () => {
  const source = batches([entry('stdout', 'a')], [entry('stderr', 'x'), entry('stdout', 'b')]);
  const chosen = chooseStreams(source, { stdout: false, stderr: true });
  assert.deepEqual(await texts(toOutput(chosen)), ['stderr:x']);
});
