import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { watchMemoryEvents } from './memory-events.ts';

test('each kill that comes is heard, and those before are not', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-oom-'));
  const stop = new AbortController();
  try {
    const say = (kills: number) =>
      writeFile(join(dir, 'memory.events'), `max 7\noom 1\noom_kill ${kills}\n`);
    await say(2);
    let heard = 0;
    watchMemoryEvents(dir, () => (heard += 1), stop.signal);
    await say(2);
    await say(3);
    await eventually(() => heard === 1);
    await say(4);
    await eventually(() => heard === 2);
  } finally {
    stop.abort();
    await rm(dir, { recursive: true });
  }
});

test('a group whose memory is not counted is not watched', () => {
  const heard = () => assert.fail('there is nothing to hear');
  watchMemoryEvents('/nowhere', heard, new AbortController().signal);
});
