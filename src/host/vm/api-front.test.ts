import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { outcomeOf } from '../../../test/support/outcome-of.ts';
import { ApiFront } from './api-front.ts';
import { ensureDataDisk } from './data-disk.ts';
import { vmStarting } from './vm-errors.ts';

async function frontOf(open: () => Duplex) {
  const dir = await mkdtemp(join(tmpdir(), 'front-'));
  const path = join(dir, 'api.sock');
  const front = new ApiFront({ open });
  await front.listen({ scheme: 'unix', path, text: `unix://${path}` });
  const ask = (question: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = createConnection({ path, allowHalfOpen: true });
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.once('end', () => resolve(answer));
      socket.once('error', reject);
      socket.end(question);
    });
  const dispose = async () => {
    await front.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { front, path, ask, [Symbol.asyncDispose]: dispose };
}

test('a request that comes too early is told the stage', async () => {
  await using place = await frontOf(() => {
    throw vmStarting('opening the data disk');
  });
  const answer = await place.ask('GET /containers/json HTTP/1.1\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.match(answer, /\{"message":"the virtual machine is starting: opening the data disk"\}$/);
});

test('an engine that hears all before it speaks is heard', async () => {
  await using place = await frontOf(() => {
    const [question, answer] = [new PassThrough(), new PassThrough()];
    let heard = 0;
    question.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    question.once('end', () => answer.end(`${heard} bytes`));
    return Duplex.from({ readable: answer, writable: question });
  });
  assert.equal(await place.ask('x'.repeat(200_000)), '200000 bytes');
});

test('a stream that the guest refuses becomes an answer, not a broken connection', async () => {
  await using place = await frontOf(() => {
    const stream = new PassThrough();
    setImmediate(() => stream.destroy(new Error('connect ECONNREFUSED')));
    return stream;
  });
  assert.match(await place.ask('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 503 [\s\S]*ECONNREFUSED/);
});

test('a socket that is served is left alone, and ours goes with us', async () => {
  await using place = await frontOf(() => new PassThrough());
  const address = { scheme: 'unix', path: place.path, text: `unix://${place.path}` } as const;
  const { kind } = await outcomeOf(new ApiFront({ open: () => new PassThrough() }).listen(address));
  assert.equal(kind, 'conflict');
  assert.equal((await stat(place.path)).mode & 0o777, 0o600);
  await place.front.close();
  assert.equal((await outcomeOf(stat(place.path))).kind, 'internal');
});

test('a data disk is made sparse, grows, and is never cut or emptied', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'disk-'));
  try {
    const path = join(dir, 'disk');
    await ensureDataDisk(path, 1 << 30);
    const { size, blocks, mode } = await stat(path);
    assert.deepEqual([size, blocks, mode & 0o777], [1 << 30, 0, 0o600]);
    await writeFile(path, 'kept', { flag: 'r+' });
    await ensureDataDisk(path, 1 << 20);
    assert.equal((await stat(path)).size, 1 << 30);
    const { kind, text } = await outcomeOf(ensureDataDisk('/dev/null', 1 << 20));
    assert.deepEqual([kind, /not a regular file/.test(text)], ['unavailable', true]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
