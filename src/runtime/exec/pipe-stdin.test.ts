import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { pipeStdin } from './pipe-stdin.ts';

test('the end of the input is taken whether the process is there, goes, or has gone', async () => {
  const there = new PassThrough();
  await pipeStdin(there).end();
  assert.ok(there.writableFinished);

  const going = new PassThrough({ final: () => undefined });
  const ending = pipeStdin(going).end();
  going.destroy();
  await ending;

  const gone = new PassThrough();
  gone.destroy();
  await once(gone, 'close');
  await pipeStdin(gone).end();
});

test('what is written to a process that has gone is refused', async () => {
  const gone = new PassThrough();
  gone.destroy();
  await assert.rejects(pipeStdin(gone).write(Buffer.from('x')), { kind: 'conflict' });
});
