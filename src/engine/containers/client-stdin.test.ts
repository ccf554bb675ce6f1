import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientStdin } from './client-stdin.ts';

/** A sink whose writes take until they are let through. */
function slowSink() {
  const calls: string[] = [];
  const gates: (() => void)[] = [];
  const sink = {
    write: async (chunk: Uint8Array) => {
      await new Promise<void>((resolve) => gates.push(resolve));
      calls.push(`write ${Buffer.from(chunk)}`);
    },
    end: async () => void calls.push('end'),
    detach: async () => void calls.push('detach'),
  };
  return { sink, calls, letThrough: () => gates.shift()?.() };
}

function stdinTo(sink: ReturnType<typeof slowSink>['sink'], closesProcess = true) {
  let detached = 0;
  const stdin = new ClientStdin({
    connect: () => Promise.resolve(sink),
    closesProcess,
    detachKeys: Uint8Array.of(16, 17),
    onDetach: () => {
      detached++;
    },
  });
  return { stdin, detachedTimes: () => detached };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the end of input waits for the bytes before it', async () => {
  const { sink, calls, letThrough } = slowSink();
  const { stdin } = stdinTo(sink);
  const write = stdin.write(Buffer.from('last'));
  const end = stdin.end();
  await turn();
  assert.deepEqual(calls, []);
  letThrough();
  await Promise.all([write, end]);
  assert.deepEqual(calls, ['write last', 'end']);
});

test('input that does not close the process lets go of it only', async () => {
  const { sink, calls, letThrough } = slowSink();
  const { stdin } = stdinTo(sink, false);
  const write = stdin.write(Buffer.from('x'));
  await turn();
  letThrough();
  await write;
  await stdin.end();
  assert.deepEqual(calls, ['write x', 'detach']);
});

test('the detach keys let go of the process once', async () => {
  const { sink, calls, letThrough } = slowSink();
  const { stdin, detachedTimes } = stdinTo(sink);
  const write = stdin.write(Buffer.from([97, 16, 17]));
  await turn();
  letThrough();
  await write;
  await stdin.release();
  assert.deepEqual([calls, detachedTimes()], [['write a', 'detach'], 1]);
});

test('a client that never wrote closes nothing when it goes', async () => {
  const { sink, calls } = slowSink();
  const { stdin } = stdinTo(sink);
  await stdin.release();
  assert.deepEqual(calls, []);
});
