import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { bridgeStdio } from './stdio-bridge.ts';

async function connected(path: string): Promise<Socket> {
  return await eventually(async () => {
    const socket = connect({ path });
    const opened = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    return opened && socket;
  });
}

async function answer(socket: Socket, question: string): Promise<string> {
  socket.write(question);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

test('a program is reached by one client after another, and the socket goes when it ends', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'bridge-'));
  try {
    const path = join(dir, 'sock');
    const script = 'while read -r line; do [ "$line" = quit ] && exit 3; echo "heard $line"; done';
    const ended = bridgeStdio(path, { file: '/bin/sh', args: ['-c', script] });
    const first = await connected(path);
    assert.equal(await answer(first, 'one\n'), 'heard one\n');
    const second = await connected(path);
    await once(first, 'close');
    assert.equal(await answer(second, 'two\n'), 'heard two\n');
    second.destroy();
    const third = await connected(path);
    assert.equal(await answer(third, 'three\n'), 'heard three\n');
    third.write('quit\n');
    assert.deepEqual(await ended, { exitCode: 3, signal: null });
    assert.deepEqual(await readdir(dir), []);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a socket that cannot be made ends the program too', async () => {
  const command = { file: '/bin/sh', args: ['-c', 'while read -r line; do :; done'] };
  await assert.rejects(bridgeStdio('/nowhere/sock', command), /EACCES|ENOENT/);
});
