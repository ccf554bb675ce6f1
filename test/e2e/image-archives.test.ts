/** Images as files: save, load, import, export. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { getOverSocket, requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { layerTar } from '../support/layer-tar.ts';
import { PACKER_NAMES, pack } from '../support/pack.ts';
import { runCommand } from '../support/run-command.ts';
import { serverThat } from '../support/server-that.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const local = (name: string) => join(daemon.home.root, name);
const shell = async (script: string) => {
  const { code, stdout, stderr } = await runCommand(['sh', '-c', script], {
    env: { ...daemon.env, DIR: daemon.home.root },
  });
  assert.equal(code, 0, stderr);
  return stdout.trim();
};

test(
  'saved images come back by load, however they are packed',
  requires(...PACKER_NAMES),
  async () => {
    await daemon.ok('run', '--name', 'box', BUSYBOX, 'sh', '-c', 'echo kept >/kept');
    const id = await daemon.ok('commit', 'box', 'keep:1');
    await daemon.ok('save', '-o', local('plain.tar'), 'keep:1', BUSYBOX);
    await daemon.ok('rm', 'box');
    const archive = await readFile(local('plain.tar'));
    for (const name of PACKER_NAMES) {
      await daemon.ok('rmi', 'keep:1');
      await writeFile(local(name), pack(name, archive));
      assert.equal(
        await daemon.ok('load', '-q', '-i', local(name)),
        `Loaded image: keep:1\nLoaded image: ${BUSYBOX}:latest`,
      );
      assert.equal(await daemon.ok('inspect', '-f', '{{.Id}}', 'keep:1'), id);
      assert.equal(await daemon.ok('run', '--rm', 'keep:1', 'cat', '/kept'), 'kept');
    }
    const names = (await shell('tar -tf $DIR/plain.tar')).split('\n');
    assert.deepEqual(names.slice(0, 2), ['blobs/', 'blobs/sha256/']);
    assert.deepEqual(names.slice(-3), ['index.json', 'manifest.json', 'oci-layout']);
    assert.equal(new Set(names).size, names.length);
  },
);

test('save streams to a pipe, and a missing image is no archive', async () => {
  assert.equal(
    await shell(`docker save ${BUSYBOX} | tar -xO oci-layout`),
    '{"imageLayoutVersion":"1.0.0"}',
  );
  const { code, stderr } = await daemon.docker('save', '-o', local('none'), 'nothing:here');
  assert.equal(code, 1);
  assert.match(stderr, /No such image: nothing:here/);
  assert.equal((await getOverSocket(daemon.socketPath, '/images/get')).status, 400);
  const several = await getOverSocket(daemon.socketPath, `/images/get?names=${BUSYBOX},keep:1`);
  assert.equal(several.status, 200);
});

test('what was exported can be imported, with changes', async () => {
  await daemon.ok('create', '--name', 'source', BUSYBOX);
  const change = `-c 'CMD ["echo","imported"]' -c 'ENV A=1'`;
  const id = await shell(
    `docker export source | gzip | docker import ${change} -m 'a message' - brought:v1`,
  );
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await daemon.ok('run', '--rm', 'brought:v1'), 'imported');
  const history = await daemon.ok('history', '--format', '{{.Comment}}', 'brought:v1');
  assert.equal(history, 'a message');
  const events = await daemon.ok(
    ...['events', '--since', '1', '--until', String(Date.now() / 1000), '--filter', 'event=import'],
    ...['--format', '{{.Actor.ID}}'],
  );
  assert.equal(events, id);
});

test('what cannot be imported is refused with a reason', async () => {
  const post = (query: string, body: string) =>
    requestOverSocket(daemon.socketPath, `/images/create?${query}`, { method: 'POST', body });
  assert.equal((await post('fromSrc=-', 'x'.repeat(600))).status, 400);
  assert.equal((await post('fromSrc=-&repo=UPPER', '')).status, 400);
  const scheme = await post('fromSrc=ftp://example.org/x.tar', '');
  assert.equal(scheme.status, 400);
  assert.match(scheme.body, /unsupported protocol scheme .{1,2}ftp/);
});

test('an archive on the web is imported through the user’s own network, loopback included', async () => {
  const tar = layerTar([{ name: 'note', content: 'from afar' }]);
  await using server = await serverThat((_, response) => void response.end(tar));
  const shown = await daemon.ok('import', `http://${server.host}/boat.tar`, 'web:1');
  const [first, ...rest] = shown.split('\n');
  assert.equal(first, `Downloading from http://${server.host}/boat.tar`);
  assert.match(rest.at(-1) ?? '', /^sha256:[0-9a-f]{64}$/);
  const history = await daemon.ok('history', '--format', '{{.Comment}}', 'web:1');
  assert.equal(history, `Imported from http://${server.host}/boat.tar`);
});
