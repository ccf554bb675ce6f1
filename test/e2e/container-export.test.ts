/** Whole file systems of containers: export. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { getOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { runCommand } from '../support/run-command.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const local = (name: string) => join(daemon.home.root, name);

/** Names in a tar file. */
async function namesIn(path: string): Promise<readonly string[]> {
  const { stdout, code } = await runCommand(['tar', '-tf', path]);
  assert.equal(code, 0);
  return stdout.trim().split('\n');
}

test('an export holds the root file system, without volumes, also of an ended container', async () => {
  await daemon.ok(
    'run',
    '--name',
    'done',
    '-v',
    'vol:/data/vol',
    BUSYBOX,
    'sh',
    '-c',
    'echo m >/mark',
  );
  await daemon.ok('export', '-o', local('root.tar'), 'done');
  const names = await namesIn(local('root.tar'));
  for (const name of ['bin/busybox', 'etc/', 'mark']) assert.ok(names.includes(name), name);
  assert.ok(!names.includes('data/vol/note'));
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'live',
    BUSYBOX,
    'sh',
    '-c',
    'echo m >/made; exec sleep 1000',
  );
  await daemon.ok('exec', 'live', 'sh', '-c', 'until [ -e /made ]; do sleep 0.02; done');
  await daemon.ok('export', '-o', local('live.tar'), 'live');
  assert.ok((await namesIn(local('live.tar'))).includes('made'));
});

test('a client that leaves in the middle does not keep a stopped container locked', async () => {
  const path = '/containers/done/export';
  const left = new AbortController();
  const call = request({ socketPath: daemon.socketPath, path, signal: left.signal });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  await once(answer, 'readable');
  answer.on('error', () => undefined);
  call.on('error', () => undefined);
  left.abort();
  await daemon.ok('rm', 'done');
  assert.equal((await getOverSocket(daemon.socketPath, '/containers/done/json')).status, 404);
});
