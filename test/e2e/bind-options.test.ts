/** Options of binds, where other file systems are mounted in what is bound. */
import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { makeTestHome } from '../support/test-home.ts';

const home = await makeTestHome();
const source = join(home.root, 'source');
await mkdir(join(source, 'below'), { recursive: true });
const heard = join(home.root, 'heard');
await mkdir(heard);
const surroundings = [
  `mount -t tmpfs inner ${source}/below`,
  `mount -t tmpfs heard ${heard}`,
  `mount --make-shared ${heard}`,
].join('\n');
const daemon = await startDaemon({ home, surroundings });
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** Where a container can write: at the top, in what is mounted below. */
const WRITES =
  'for d in /m /m/below; do touch $d/x 2>/dev/null && echo yes || echo no; rm -f $d/x; done';
const run = async (...flags: readonly string[]) =>
  (await daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', WRITES)).split('\n');
const bind = (...options: readonly string[]) =>
  ['--mount', [`type=bind,src=${source},dst=/m`, ...options].join(',')] as const;

for (const runtime of ['crun', 'runc']) {
  test(`a read-only bind is so throughout, unless told otherwise (${runtime})`, async () => {
    const by = ['--runtime', runtime];
    assert.deepEqual(await run(...by, '-v', `${source}:/m`), ['yes', 'yes']);
    assert.deepEqual(await run(...by, '-v', `${source}:/m:ro`), ['no', 'no']);
    assert.deepEqual(await run(...by, ...bind('readonly')), ['no', 'no']);
    const forced = bind('readonly', 'bind-recursive=readonly', 'bind-propagation=rprivate');
    assert.deepEqual(await run(...by, ...forced), ['no', 'no']);
    assert.deepEqual(await run(...by, ...bind('readonly', 'bind-recursive=writable')), [
      'no',
      'yes',
    ]);
  });
}

test('a bind without the mounts of the host below it is refused, as the kernel refuses it', async () => {
  const flags = bind('bind-recursive=disabled');
  const { code, stderr } = await daemon.docker('run', '--rm', ...flags, BUSYBOX, 'ls', '/m');
  assert.equal(code, 125);
  assert.match(stderr, /cannot be mounted without what is mounted below it/);
  const plain = `type=bind,src=${source}/below,dst=/m,bind-recursive=disabled`;
  await daemon.ok('run', '--rm', '--mount', plain, BUSYBOX, 'touch', '/m/inner');
  assert.equal(await daemon.ok('run', '--rm', '--mount', plain, BUSYBOX, 'ls', '/m'), 'inner');
});

test('clients of old versions get what they knew', async () => {
  const create = (version: string) =>
    requestOverSocket(daemon.socketPath, `/v${version}/containers/create?name=v${version}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        Image: BUSYBOX,
        Cmd: ['sh', '-c', WRITES],
        HostConfig: { Mounts: [{ Type: 'bind', Source: source, Target: '/m', ReadOnly: true }] },
      }),
    });
  for (const [version, expected] of [
    ['1.43', 'no\nyes'],
    ['1.44', 'no\nno'],
  ] as const) {
    assert.equal((await create(version)).status, 201);
    assert.equal(await daemon.ok('start', '-a', `v${version}`), expected);
  }
});

test('a mount hears of later ones only where its source does', async () => {
  const list = (dir: string, propagation: string) =>
    daemon.docker('run', '--rm', '-v', `${dir}:/m:${propagation}`, BUSYBOX, 'true');
  assert.equal((await list(heard, 'rslave')).code, 0);
  const shared = await list(heard, 'rshared');
  assert.equal(shared.code, 125);
  assert.match(shared.stderr, /path .*heard is mounted on .*heard but it is not a shared mount/);
  const apart = await list(source, 'slave');
  assert.match(
    apart.stderr,
    /path .*source is mounted on .* but it is not a shared or slave mount/,
  );
});

test('nothing stays pinned', async () => {
  assert.deepEqual(await readdir(join(home.runtimeDir, 'wherry', 'pins')), []);
});
