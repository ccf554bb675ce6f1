/** Whom the files belong to that containers write into directories of the caller. */
import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const needed = requires('fuse-overlayfs', 'subordinate-ids');
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const { uid, gid } = userInfo();
const shared = join(daemon.home.root, 'shared');
const KEPT = 'wherry.userns=keep-id';
const MATE = 'fleet/mate:1';

before(async () => {
  await mkdir(shared);
  const script =
    'echo mate:x:1000:1000::/home/mate:/bin/sh >>/etc/passwd && echo mate:x:1000: >>/etc/group && mkdir /work && echo cargo >/work/cargo && mkdir -p /home/mate && echo old >/home/mate/old && chown -R mate:mate /work /home/mate';
  await daemon.ok('run', '--name', 'maker', BUSYBOX, 'sh', '-c', script);
  await daemon.ok('commit', '--change', 'USER mate', 'maker', MATE);
  await daemon.ok('rm', 'maker');
});

const ownerOf = async (name: string) => {
  const found = await stat(join(shared, name));
  return [found.uid, found.gid];
};

const mounted = ['-v', `${shared}:/shared`];

test('files of root of a container belong to the caller', async () => {
  await daemon.ok('run', '--rm', ...mounted, BUSYBOX, 'touch', '/shared/by-root');
  assert.deepEqual(await ownerOf('by-root'), [uid, gid]);
});

for (const runtime of ['crun', 'runc']) {
  test(
    `with keep-id files of the image's user belong to the caller, by ${runtime}`,
    needed,
    async () => {
      const flags = ['--runtime', runtime, '--label', KEPT, ...mounted];
      const script = `id -u; touch /shared/by-${runtime}; stat -c %u:%g /shared/by-${runtime} / /bin/busybox /work/cargo`;
      const seen = await daemon.ok('run', '--rm', ...flags, MATE, 'sh', '-c', script);
      assert.deepEqual(seen.split('\n'), ['1000', '1000:1000', '0:0', '0:0', '1000:1000']);
      assert.deepEqual(await ownerOf(`by-${runtime}`), [uid, gid]);
    },
  );
}

test('with keep-id files of another user do not belong to the caller', needed, async () => {
  const script = 'touch /shared/by-other; chown 5:5 /shared/by-other; stat -c %u /shared/by-other';
  const flags = ['--label', 'wherry.userns=keep-id:1000,1000', '-u', '0', ...mounted];
  assert.equal(await daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script), '5');
  assert.notEqual((await ownerOf('by-other'))[0], uid);
});

test('-u says whose ids are kept, and inspect which', needed, async () => {
  const flags = ['--label', KEPT, '-u', '1234:567', ...mounted];
  await daemon.ok('run', '--name', 'told', ...flags, BUSYBOX, 'touch', '/shared/by-1234');
  assert.deepEqual(await ownerOf('by-1234'), [uid, gid]);
  const mode = await daemon.ok('inspect', '-f', '{{.HostConfig.UsernsMode}}', 'told');
  assert.equal(mode, 'keep-id:1234,567');
  await daemon.ok('rm', 'told');
});

test('the API takes the mode as it is, the docker client by a label, and nonsense neither', async () => {
  const create = async (UsernsMode: string) =>
    await requestOverSocket(daemon.socketPath, '/containers/create', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ Image: MATE, Cmd: ['true'], HostConfig: { UsernsMode } }),
    });
  assert.equal((await create('keep-id:uid=1000,gid=1000')).status, 201);
  const refused = await create('keep-nothing');
  assert.equal(refused.status, 400);
  assert.match(refused.body, /invalid userns mode: keep-nothing/);
});

test(
  'a kept container goes on as others do: exec, cp, volumes, commit, restart',
  needed,
  async () => {
    const flags = ['--label', KEPT, ...mounted, '-v', 'hold:/work'];
    const script = 'trap exit TERM; while :; do sleep 0.1; done';
    await daemon.ok('run', '-d', '--name', 'kept', ...flags, MATE, 'sh', '-c', script);
    assert.equal(await daemon.ok('exec', 'kept', 'id', '-u'), '1000');
    assert.equal(await daemon.ok('exec', '-u', '0', 'kept', 'id', '-u'), '0');
    // The volume was filled from the image with the owners that the container sees.
    assert.equal(await daemon.ok('exec', 'kept', 'stat', '-c', '%u', '/work/cargo'), '1000');
    const inside = (...args: readonly string[]) => daemon.ok('exec', ...args);
    const anew = 'rm -rf /home/mate && mkdir /home/mate && chown mate:mate /home/mate';
    await inside('-u', '0', 'kept', 'sh', '-c', `${anew}; echo root >/etc/by-root`);
    await inside('kept', 'sh', '-c', 'echo new >/home/mate/note; echo more >>/work/cargo');
    const { stdout } = await daemon.docker('cp', 'kept:/home/mate/note', '-');
    assert.match(stdout.slice(108, 116), /0001750/, 'the archive has the uid 1000');
    await daemon.ok('stop', 'kept');
    await daemon.ok('start', 'kept');
    await daemon.crashEngine();
    assert.equal(await daemon.ok('exec', 'kept', 'cat', '/home/mate/note'), 'new');
    const changes = await daemon.ok('diff', 'kept');
    assert.match(changes, /A \/etc\/by-root/);
    assert.match(changes, /D \/home\/mate\/old/);
    assert.doesNotMatch(changes, /\.wh\./);
    await daemon.ok('commit', 'kept', 'fleet/kept:1');
    await daemon.ok('rm', '-f', '-v', 'kept');
    const owners = ['stat', '-c', '%u', '/home/mate/note', '/etc/by-root'];
    assert.equal(await daemon.ok('run', '--rm', 'fleet/kept:1', ...owners), '1000\n0');
    assert.equal(await daemon.ok('run', '--rm', 'fleet/kept:1', 'ls', '/home/mate'), 'note');
  },
);

test(
  'a daemon may keep ids by default, and a container still be the usual one',
  needed,
  async () => {
    await using keeping = await startDaemon({ flags: ['--default-userns', 'keep-id:1000,1000'] });
    const write = (name: string) => ['sh', '-c', `touch /shared/${name}; id -u`];
    await keeping.ok('run', '--rm', '-u', '1000:1000', ...mounted, BUSYBOX, ...write('by-default'));
    assert.deepEqual(await ownerOf('by-default'), [uid, gid]);
    const usual = ['--userns', 'host', ...mounted];
    await keeping.ok('run', '--rm', ...usual, BUSYBOX, ...write('by-host'));
    assert.deepEqual(await ownerOf('by-host'), [uid, gid]);
  },
);
