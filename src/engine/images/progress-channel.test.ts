import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import { humanSize, ProgressChannel, progressBar } from './progress-channel.ts';

async function collect(channel: ProgressChannel) {
  const lines: ProgressMessage[] = [];
  for await (const line of channel) lines.push(line);
  return lines;
}

describe('a progress channel', () => {
  it('gives lines in order and ends', async () => {
    const channel = new ProgressChannel(
      () => 0,
      () => assert.fail('nobody left'),
    );
    channel.send({ status: 'one' });
    const reading = collect(channel);
    channel.send({ status: 'two' });
    channel.close();
    assert.deepEqual(await reading, [{ status: 'one' }, { status: 'two' }]);
  });

  it('gives what was sent before a failure', async () => {
    const channel = new ProgressChannel(
      () => 0,
      () => undefined,
    );
    channel.send({ status: 'one' });
    channel.fail(new Error('broken'));
    const seen: (string | undefined)[] = [];
    await assert.rejects(async () => {
      for await (const line of channel) seen.push(line.status);
    }, /broken/);
    assert.deepEqual(seen, ['one']);
  });

  it('sends counts ten times a second at most, and always the last', async () => {
    let now = 0;
    const channel = new ProgressChannel(
      () => now,
      () => undefined,
    );
    const reading = collect(channel);
    for (let current = 1; current <= 300; current++) {
      now = current;
      channel.sendCount('layer', 'Downloading', { current, total: 300 });
      await Promise.resolve();
    }
    channel.close();
    const counts = (await reading).map((line) => line.progressDetail?.current);
    assert.ok(counts.length <= 4, String(counts));
    assert.equal(counts.at(-1), 300);
  });

  it('keeps only the latest count for a reader that is slow', async () => {
    let now = 0;
    const channel = new ProgressChannel(
      () => now,
      () => undefined,
    );
    for (let current = 1; current <= 50; current++) {
      now += 1000;
      channel.sendCount('layer', 'Downloading', { current, total: 100 });
    }
    channel.close();
    assert.deepEqual(
      (await collect(channel)).map((line) => line.progressDetail?.current),
      [50],
    );
  });

  it('tells when the reader leaves early', async () => {
    let left = false;
    const channel = new ProgressChannel(
      () => 0,
      () => {
        left = true;
      },
    );
    channel.send({ status: 'one' });
    for await (const line of channel) {
      assert.equal(line.status, 'one');
      break;
    }
    assert.equal(left, true);
  });
});

describe('progress as text', () => {
  it('looks like that of docker', () => {
    assert.equal(
      progressBar({ current: 1_234_567, total: 5_000_000 }),
      `[${'='.repeat(12)}>${' '.repeat(37)}]  1.235MB/5MB`,
    );
    assert.equal(progressBar({ current: 5, total: 5 }), `[${'='.repeat(50)}>]  5B/5B`);
    assert.equal(humanSize(999), '999B');
    assert.equal(humanSize(84_000), '84kB');
  });
});
