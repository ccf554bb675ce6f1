import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { releaseAfter } from './release-after.ts';

async function* numbers() {
  yield 1;
  yield 2;
}

async function* failing(): AsyncGenerator<number> {
  yield 1;
  throw new Error('torn');
}

function counted(source: AsyncIterable<number>, signal = new AbortController().signal) {
  const state = { released: 0 };
  const release = async () => {
    state.released++;
  };
  return { state, stream: releaseAfter(source, release, signal) };
}

describe('a stream that releases what it reads from', () => {
  it('does so at its end', async () => {
    const { state, stream } = counted(numbers());
    const seen: number[] = [];
    for await (const item of stream) {
      assert.equal(state.released, 0);
      seen.push(item);
    }
    assert.deepEqual([seen, state.released], [[1, 2], 1]);
  });

  it('does so when it fails, is left, or is left before it began', async () => {
    const torn = counted(failing());
    await assert.rejects(async () => {
      for await (const _ of torn.stream);
    }, /torn/);
    assert.equal(torn.state.released, 1);

    const left = counted(numbers());
    for await (const _ of left.stream) break;
    assert.equal(left.state.released, 1);

    const untouched = counted(numbers());
    await untouched.stream.return?.();
    assert.equal(untouched.state.released, 1);
  });

  it('does so when the client hangs up', async () => {
    const client = new AbortController();
    const { state, stream } = counted(numbers(), client.signal);
    await stream.next();
    client.abort();
    assert.equal((await stream.next()).done, true);
    assert.ok(state.released >= 1);
  });
});
