/** Images of containers, and what containers changed: commit, diff. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { getOverSocket, requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const inspect = async (ref: string, format: string) =>
  JSON.parse(await daemon.ok('inspect', '-f', `{{json ${format}}}`, ref)) as unknown;
const run = (image: string, script: string) => daemon.ok('run', '--rm', image, 'sh', '-c', script);

test('diff tells what a container changed, and nothing of what is mounted', async () => {
  const script = 'echo x >/etc/new; rm /etc/group; mkdir /a; touch /a/b; echo y >/data/in';
  const mounts = ['-v', 'vol:/data', '--tmpfs', '/scratch', '-v', '/deep/down'];
  await daemon.ok('run', '--name', 'box', ...mounts, BUSYBOX, 'sh', '-c', script);
  const expected = ['A /a', 'A /a/b', 'C /etc', 'D /etc/group', 'A /etc/new'];
  assert.deepEqual((await daemon.ok('diff', 'box')).split('\n'), expected);
  await daemon.ok('create', '--name', 'fresh', BUSYBOX, 'true');
  assert.equal(await daemon.ok('diff', 'fresh'), '');
  const { stderr } = await daemon.docker('diff', 'nobody');
  assert.match(stderr, /No such container: nobody/);
});

test('a committed container runs again from its image, with owners, modes and links', async () => {
  const make =
    'echo hi >/greeting; chown 12:34 /greeting; chmod 4750 /greeting; ln /greeting /twin; ' +
    'ln -s greeting /link; rm -r /etc; mkdir /etc; echo new >/etc/only';
  await daemon.ok('run', '--name', 'maker', BUSYBOX, 'sh', '-c', make);
  const id = await daemon.ok('commit', '-m', 'a note', '-a', 'me <me@here>', 'maker', 'made:one');
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  const look = 'stat -c "%u:%g %a %h" /greeting; cat /link /twin; ls /etc | grep only';
  assert.equal(await run('made:one', look), '12:34 4750 2\nhi\nhi\nonly');
  assert.equal(await run('made:one', 'cat /etc/passwd 2>/dev/null || echo none'), 'none');
  assert.equal(await inspect('made:one', '.Comment'), 'a note');
  assert.equal(await inspect('made:one', '.Author'), 'me <me@here>');
  assert.equal(await inspect('made:one', '.Parent'), await inspect(BUSYBOX, '.Id'));
  const history = await daemon.ok(
    'history',
    '--no-trunc',
    '--format',
    '{{.ID}}|{{.Comment}}|{{.CreatedBy}}',
    id,
  );
  const [newest = '', ...older] = history.split('\n');
  assert.ok(newest.startsWith(`${id}|a note|sh -c echo hi`), newest);
  assert.ok(older.length >= 1);
});

test('a running container is paused while it is committed, unless told otherwise', async () => {
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'live',
    BUSYBOX,
    'sh',
    '-c',
    'echo 1 >/one; exec sleep 1000',
  );
  await daemon.ok('exec', 'live', 'sh', '-c', 'until [ -e /one ]; do sleep 0.02; done');
  const since = String(Date.now() / 1000);
  await daemon.ok('commit', 'live', 'live:paused');
  await daemon.ok('commit', '--pause=false', 'live', 'live:free');
  const until = String(Date.now() / 1000);
  assert.equal(await inspect('live', '.State.Status'), 'running');
  assert.equal(await run('live:paused', 'cat /one'), '1');
  assert.equal(await run('live:free', 'cat /one'), '1');
  const filters = ['--filter', 'container=live', '--since', since, '--until', until];
  const events = await daemon.ok(
    'events',
    ...filters,
    '--format',
    '{{.Action}} {{.Actor.Attributes.imageRef}}',
  );
  assert.deepEqual(
    events.split('\n').map((line) => line.trim().replace('<no value>', '').trim()),
    ['pause', 'commit live:paused', 'unpause', 'commit live:free'],
  );
  await daemon.ok('rm', '-f', 'live');
});

test('the config is the container’s, changed by instructions', async () => {
  await daemon.ok(
    ...['create', '--name', 'conf', '-e', 'A=1', '-l', 'kept=yes', '-w', '/tmp', '-u', '7'],
    ...[BUSYBOX, 'sh', '-c', 'echo $A $B; pwd; id -u'],
  );
  const change = ['-c', 'ENV B=$A$A', '-c', 'WORKDIR sub', '-c', 'EXPOSE 80', '-c', 'USER 8'];
  await daemon.ok('commit', ...change, 'conf', 'conf:changed');
  assert.deepEqual(await inspect('conf:changed', '.Config.Labels'), { kept: 'yes' });
  assert.deepEqual(await inspect('conf:changed', '.Config.ExposedPorts'), { '80/tcp': {} });
  assert.equal(await daemon.ok('run', '--rm', 'conf:changed'), '1 11\n/tmp/sub\n8');
  const layers = (await inspect('conf:changed', '.RootFS.Layers')) as string[];
  assert.deepEqual(layers, await inspect(BUSYBOX, '.RootFS.Layers'));
  const bad = await daemon.docker('commit', '-c', 'RUN make', 'conf');
  assert.match(bad.stderr, /RUN is not a valid change command/);
});

test('the API takes a config of its own, and names are checked before anything is made', async () => {
  const post = (query: string, body?: object) =>
    requestOverSocket(daemon.socketPath, `/commit?${query}`, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
  const made = await post('container=conf&repo=own&tag=v1', {
    Cmd: ['id', '-u'],
    Labels: { x: 'y' },
  });
  assert.equal(made.status, 201);
  assert.deepEqual(await inspect('own:v1', '.Config.Labels'), { kept: 'yes', x: 'y' });
  assert.equal(await daemon.ok('run', '--rm', 'own:v1'), '7');
  assert.equal((await post('container=conf&repo=UPPER')).status, 400);
  assert.equal((await post('container=nobody')).status, 404);
  assert.equal((await post('repo=x')).status, 400);
  const nameless = await post('container=conf');
  assert.equal(nameless.status, 201);
  const images = await getOverSocket(
    daemon.socketPath,
    '/images/json?filters={"dangling":["true"]}',
  );
  assert.equal((JSON.parse(images.body) as unknown[]).length, 1);
});

test('images that stand on each other can be removed in any order', async () => {
  await daemon.ok('run', '--name', 'second', 'made:one', 'sh', '-c', 'echo 2 >/two');
  await daemon.ok('commit', 'second', 'made:two');
  await daemon.ok('rm', 'second');
  await daemon.ok('rmi', 'made:one');
  assert.equal(await run('made:two', 'cat /greeting /two'), 'hi\n2');
  assert.equal(await inspect('made:two', '.Parent'), '');
  await daemon.ok('rmi', 'made:two');
});

test('the same holds for full copies instead of overlay', async () => {
  await using plain = await startDaemon({ flags: ['--storage-driver', 'copy'] });
  const script = 'rm /etc/group; mkdir /a; echo b >/a/b; chown 5 /a/b';
  await plain.ok('run', '--name', 'box', '-v', '/data', BUSYBOX, 'sh', '-c', script);
  assert.equal(await plain.ok('diff', 'box'), 'A /a\nA /a/b\nC /etc\nD /etc/group');
  await plain.ok('commit', 'box', 'copied');
  const look = 'cat /a/b; stat -c %u /a/b; ls /etc/group 2>/dev/null || echo gone';
  assert.equal(await plain.ok('run', '--rm', 'copied', 'sh', '-c', look), 'b\n5\ngone');
});

test('a container that ends while it is about to be paused is committed all the same', async () => {
  const headers = { 'content-type': 'application/json' };
  const post = (path: string, body = '') =>
    requestOverSocket(daemon.socketPath, path, { method: 'POST', headers, body });
  for (let round = 0; round < 20; round++) {
    const config = { Image: BUSYBOX, Cmd: ['true'] };
    const { body } = await post(`/containers/create?name=brief${round}`, JSON.stringify(config));
    const { Id } = JSON.parse(body) as { Id: string };
    await post(`/containers/${Id}/start`);
    const answer = await post(`/commit?container=${Id}`);
    assert.equal(answer.status, 201, answer.body);
  }
});
