import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const sh = (flags: readonly string[], script: string) =>
  daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script);

/** The file systems mounted for volumes, as the engine sees them. */
const volumeMounts = async (name: string): Promise<number> => {
  const pid = (await daemon.status()).engine?.pid;
  const table = await readFile(`/proc/${pid}/mountinfo`, 'utf8');
  return table.split('\n').filter((line) => line.includes(`/volumes/${name}/_data `)).length;
};

test('a tmpfs volume is mounted while containers use it, also past a crash of the engine', async () => {
  const opts = ['-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,mode=0710'];
  await daemon.ok('volume', 'create', ...opts, 'quick');
  assert.equal(await volumeMounts('quick'), 0);
  await daemon.ok('run', '-d', '--name', 'first', '-v', 'quick:/q', BUSYBOX, 'sleep', '1000');
  await daemon.ok('exec', 'first', 'sh', '-c', 'echo kept >/q/file');
  assert.equal(await sh(['-v', 'quick:/q'], 'cat /q/file; stat -c %a /q'), 'kept\n710');
  await daemon.crashEngine();
  assert.equal(await sh(['-v', 'quick:/q'], 'cat /q/file; df -k /q | tail -1 | wc -l'), 'kept\n1');
  assert.equal(await volumeMounts('quick'), 1);
  await daemon.ok('rm', '-f', 'first');
  assert.equal(await volumeMounts('quick'), 0);
  assert.equal(await sh(['-v', 'quick:/q'], 'ls /q'), '');
  await daemon.ok('volume', 'rm', 'quick');
});

test('a bind volume shows its device and never deletes it', async () => {
  const dir = join(daemon.home.root, 'device');
  await mkdir(dir);
  await writeFile(join(dir, 'precious'), 'gold');
  const opts = ['-o', 'type=none', '-o', 'o=bind', '-o', `device=${dir}`];
  await daemon.ok('volume', 'create', ...opts, 'window');
  assert.equal(await sh(['-v', 'window:/w'], 'cat /w/precious; echo more >/w/new'), 'gold');
  await daemon.ok('volume', 'prune', '-af');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), 'window');
  await daemon.ok('volume', 'rm', 'window');
  assert.equal(await readFile(join(dir, 'precious'), 'utf8'), 'gold');
  assert.equal(await readFile(join(dir, 'new'), 'utf8'), 'more\n');
});

test('volumes that cannot be mounted are refused with the reason', async () => {
  const nfs = ['-o', 'type=nfs', '-o', 'device=:/export', '-o', 'o=addr=192.0.2.1'];
  const refused = await daemon.docker('volume', 'create', ...nfs, 'far');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /cannot mount volumes of type "nfs"/);
  const missing = ['-o', 'type=none', '-o', 'o=bind', '-o', 'device=/does/not/exist'];
  await daemon.ok('volume', 'create', ...missing, 'hole');
  const { code, stderr } = await daemon.docker('run', '--rm', '-v', 'hole:/x', BUSYBOX, 'true');
  assert.notEqual(code, 0);
  assert.match(
    stderr,
    /error while mounting volume '.*\/hole\/_data': failed to mount local volume/,
  );
  await daemon.ok('volume', 'rm', 'hole');
});

test('a path within a volume is mounted alone, and symlinks do not lead out of the volume', async () => {
  await sh(
    ['-v', 'parts:/p'],
    'mkdir -p /p/a/b; echo deep >/p/a/b/f; ln -s /etc /p/out; ln -s a /p/in',
  );
  const sub = (path: string) => ['--mount', `type=volume,src=parts,dst=/s,volume-subpath=${path}`];
  assert.equal(await sh(sub('a/b'), 'ls /s; echo new >/s/g'), 'f');
  assert.equal(await sh(sub('in/b/f'), 'cat /s'), 'deep');
  for (const path of ['out', 'missing']) {
    const { code, stderr } = await daemon.docker('run', '--rm', ...sub(path), BUSYBOX, 'true');
    assert.notEqual(code, 0);
    assert.match(stderr, /path (out|missing) (leads out )?of the volume/);
  }
  assert.equal(await sh(['-v', 'parts:/p'], 'cat /p/a/b/g'), 'new');
  await daemon.ok('volume', 'rm', 'parts');
});

test('a volume keeps away what the image has when nocopy is asked for', async () => {
  assert.equal(await sh(['-v', 'bare:/etc:nocopy'], 'ls /etc | grep passwd || true'), '');
  const mount = 'type=volume,src=bare2,dst=/etc,volume-nocopy';
  assert.equal(await sh(['--mount', mount], 'ls /etc | grep passwd || true'), '');
  await daemon.ok('volume', 'rm', 'bare', 'bare2');
});

test('volumes-from shares the volumes of another container; the last one takes anonymous ones along', async () => {
  await daemon.ok(
    'run',
    '--name',
    'giver',
    '-v',
    '/data',
    BUSYBOX,
    'sh',
    '-c',
    'echo gift >/data/f',
  );
  const take = ['--volumes-from', 'giver:ro'];
  const text = await daemon.ok(
    ...['run', '--name', 'taker', ...take, BUSYBOX, 'sh', '-c'],
    'cat /data/f; touch /data/x 2>&1 || true',
  );
  assert.match(text, /^gift\n.*Read-only file system/);
  const bad = await daemon.docker('create', '--volumes-from', 'giver:wild', BUSYBOX);
  assert.match(bad.stderr, /invalid mode for volumes-from: wild/);
  await daemon.ok('rm', '-v', 'giver');
  assert.notEqual(await daemon.ok('volume', 'ls', '-q'), '');
  await daemon.ok('rm', '-v', 'taker');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), '');
});

test('before API 1.42 a prune takes named volumes, too', async () => {
  const prune = (version: string) =>
    requestOverSocket(daemon.socketPath, `/v${version}/volumes/prune`, { method: 'POST' });
  await daemon.ok('volume', 'create', 'named');
  await prune('1.42');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), 'named');
  assert.deepEqual(JSON.parse((await prune('1.41')).body), {
    VolumesDeleted: ['named'],
    SpaceReclaimed: 0,
  });
});

test('volumes are listed by dangling, driver, name and label, and pruned by age of need', async () => {
  await daemon.ok('volume', 'create', '--label', 'tier=one', 'apple');
  await daemon.ok('volume', 'create', 'apricot');
  await daemon.ok('volume', 'create');
  await daemon.ok('create', '--name', 'eater', '-v', 'apricot:/x', BUSYBOX);
  const list = (filter: string) =>
    daemon.ok('volume', 'ls', '--format', '{{.Name}}', '--filter', filter);
  assert.equal(await list('name=ap'), 'apple\napricot');
  assert.equal(await list('dangling=false'), 'apricot');
  assert.equal((await list('driver=local')).split('\n').length, 3);
  assert.equal(await list('label=tier=one'), 'apple');
  const { stderr } = await daemon.docker('volume', 'ls', '--filter', 'color=red');
  assert.match(stderr, /invalid filter 'color'/);
  await daemon.ok('volume', 'prune', '-f');
  assert.equal(await list('name='), 'apple\napricot');
  await daemon.ok('volume', 'prune', '-f', '--filter', 'all=true', '--filter', 'label!=tier=one');
  assert.equal(await list('name='), 'apple\napricot');
  await daemon.ok('volume', 'prune', '-af');
  assert.equal(await list('name='), 'apricot');
  await daemon.ok('rm', 'eater');
  await daemon.ok('volume', 'rm', 'apricot');
});
