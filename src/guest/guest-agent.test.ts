import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../test/support/eventually.ts';
import { memoryLine } from '../../test/support/memory-line.ts';
import { Channel } from '../channel/channel.ts';
import { TARGETS } from '../channel/targets.ts';
import { runGuestAgent } from './guest-agent.ts';

async function guestWith(apiSocket: string) {
  const [hostEnd, transport] = memoryLine();
  const told = runGuestAgent({ transport, apiSocket });
  const host = new Channel({
    transport: hostEnd,
    side: 'host',
    onStream: (_, stream) => stream.destroy(),
  });
  await eventually(() => host.isGreeted);
  const dispose = () => {
    host.close();
    transport.destroy();
  };
  return { host, told, transport, [Symbol.dispose]: dispose };
}

test('streams to the API reach the engine’s socket, each direction to its own end', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'agent-'));
  const engine = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
    });
    socket.once('end', () => socket.end(`heard ${heard}`));
  });
  try {
    const path = join(dir, 'api.sock');
    await new Promise<void>((resolve) => engine.listen(path, resolve));
    using guest = await guestWith(path);
    const stream = guest.host.open(TARGETS.api);
    let answer = '';
    stream.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    stream.end('hello');
    await once(stream, 'end');
    assert.equal(answer, 'heard hello');
  } finally {
    engine.close();
    await rm(dir, { recursive: true });
  }
});

test('what the guest cannot do is told with its reason', async () => {
  using guest = await guestWith('/nowhere/api.sock');
  for (const [target, reason] of [
    [TARGETS.api, /ENOENT/],
    ['dance', /the guest knows no dance/],
  ] as const) {
    const [error] = await once(guest.host.open(target).resume(), 'error');
    assert.match(String(error), reason);
  }
});

test('the host ends the guest, and the end of the channel does not', async () => {
  using guest = await guestWith('/nowhere');
  guest.host.open(TARGETS.shutdown).resume().end();
  assert.equal(await guest.told, true);
  using cut = await guestWith('/nowhere');
  cut.transport.destroy();
  assert.equal(await cut.told, false);
});
