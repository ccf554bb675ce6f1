/** Whole file systems of containers: export. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { getOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { layerTar } from '../support/layer-tar.ts';
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

test('owners that this machine cannot give files come out of a container as they are in its image', async () => {
  const far = '2000000000';
  const members = [
    ...['bin/', 'dev/', 'etc/', 'proc/', 'sys/'].map((name) => ({ name, type: '5', mode: 0o755 })),
    { name: 'bin/busybox', content: await readFile('/bin/busybox'), mode: 0o755 },
    { name: 'home/', type: '5', mode: 0o755, pax: { uid: far, gid: far } },
    { name: 'home/kept', content: 'kept', gid: 7, pax: { uid: far } },
    { name: 'home/given', content: 'given', pax: { uid: far } },
  ];
  await writeFile(local('far.tar'), layerTar(members));
  await daemon.ok('import', local('far.tar'), 'far:1');
  const give = ['/bin/busybox', 'chown', '3', '/home/given'];
  await daemon.ok('run', '--name', 'far', 'far:1', ...give);
  for (const command of ['docker export far', 'docker cp far:/home -']) {
    const list = `${command} | tar -tv --numeric-owner`;
    const { stdout } = await runCommand(['sh', '-c', list], { env: daemon.env });
    const owners = Object.fromEntries(
      stdout
        .split('\n')
        .map((line) => line.split(/ +/))
        .map(([, owner, , , , name = '']) => [name, owner]),
    );
    assert.equal(owners['home/'], `${far}/${far}`, command);
    assert.equal(owners['home/kept'], `${far}/7`, command);
    assert.equal(owners['home/given'], '3/0', command);
  }
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
