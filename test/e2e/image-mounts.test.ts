/** Images among the mounts of a container. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const make = 'mkdir -p /pack/in; echo one >/pack/in/a; ln -s /etc /pack/out; chown 5:6 /pack/in/a';
await daemon.ok('run', '--name', 'maker', BUSYBOX, 'sh', '-c', make);
await daemon.ok('commit', 'maker', 'pack:1');
await daemon.ok('rm', 'maker');

const mount = (...options: readonly string[]) =>
  ['--mount', ['type=image,src=pack:1,dst=/m', ...options].join(',')] as const;
const run = (flags: readonly string[], script: string) =>
  daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script);

test('an image is mounted read-only, as a whole or a path of it', async () => {
  const look = 'cat /m/pack/in/a; stat -c %u:%g /m/pack/in/a; touch /m/x 2>&1 | grep -o Read-only';
  assert.equal(await run(mount(), look), 'one\n5:6\nRead-only');
  assert.equal(await run(mount('image-subpath=pack/in'), 'ls /m'), 'a');
  for (const path of ['pack/out', 'missing']) {
    const flags = mount(`image-subpath=${path}`);
    const { code, stderr } = await daemon.docker('run', '--rm', ...flags, BUSYBOX, 'true');
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(path));
  }
  const { stderr } = await daemon.docker('create', '--mount', 'type=image,src=no,dst=/m', BUSYBOX);
  assert.match(stderr, /invalid mount config for type "image": No such image: no:latest/);
});

test('it stays while its container runs, past a crash of the engine, and goes with the run', async () => {
  await daemon.ok('run', '-d', '--name', 'user', ...mount(), BUSYBOX, 'sleep', '1000');
  await daemon.crashEngine();
  assert.equal(await daemon.ok('exec', 'user', 'cat', '/m/pack/in/a'), 'one');
  const format = '{{range .Mounts}}{{.Type}} {{.Source}} {{.Destination}} {{.RW}}{{end}}';
  assert.equal(await daemon.ok('inspect', '-f', format, 'user'), 'image pack:1 /m false');
  await daemon.ok('kill', 'user');
  const refused = await daemon.docker('rmi', 'pack:1');
  assert.match(refused.stderr, /container \w+ is using its referenced image/);
  await daemon.ok('cp', 'user:/m/pack', join(daemon.home.root, 'pack'));
  assert.deepEqual(await readdir(join(daemon.home.root, 'pack/in')), ['a']);
  assert.deepEqual(await leftovers(), []);
  await daemon.ok('start', 'user');
  assert.equal(await daemon.ok('exec', 'user', 'cat', '/m/pack/in/a'), 'one');
  await daemon.ok('cp', 'user:/m/pack/in/a', join(daemon.home.root, 'a'));
  await daemon.ok('rm', '-f', 'user');
  assert.deepEqual(await leftovers(), []);
  await daemon.ok('rmi', 'pack:1');
});

/** File systems of images that are still there. */
async function leftovers(): Promise<readonly string[]> {
  const snapshots = join(daemon.home.dataDir, 'wherry/snapshots/overlay/active');
  const dirs = [snapshots, join(daemon.home.runtimeDir, 'wherry/rootfs')];
  const names = await Promise.all(dirs.map((dir) => readdir(dir)));
  return names.flat().filter((name) => name.includes('.'));
}
