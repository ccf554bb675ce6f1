import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const sh = (flags: readonly string[], script: string) =>
  daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script);

test('a bind mount shares files both ways, and root in the container is the caller outside', async () => {
  const dir = join(daemon.home.root, 'shared');
  await mkdir(dir);
  await writeFile(join(dir, 'in'), 'from outside');
  const flags = ['-v', `${dir}:/mnt/shared`];
  assert.equal(await sh(flags, 'cat /mnt/shared/in; echo back >/mnt/shared/out'), 'from outside');
  assert.equal(await readFile(join(dir, 'out'), 'utf8'), 'back\n');
  await chmod(join(dir, 'out'), 0o600);
});

test('a read-only bind mount cannot be written', async () => {
  const flags = ['-v', `${daemon.home.root}:/home/outside:ro`];
  assert.match(await sh(flags, 'touch /home/outside/x 2>&1 || true'), /Read-only file system/);
});

test('a missing bind source is made by -v and refused by --mount', async () => {
  const made = join(daemon.home.root, 'made-by-v');
  await sh(['-v', `${made}:/x`], 'true');
  const mount = `type=bind,src=${join(daemon.home.root, 'missing')},dst=/x`;
  const { code, stderr } = await daemon.docker('run', '--rm', '--mount', mount, BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /bind source path does not exist/);
});

test('tmpfs mounts have the size and mode that were asked for', async () => {
  const text = await sh(
    ['--tmpfs', '/scratch:size=1m,mode=0700'],
    'df -k /scratch; stat -c %a /scratch',
  );
  assert.match(text, /\b1024\b/);
  assert.match(text, /^700$/m);
});

test('a named volume keeps its files between containers and is removed when unused', async () => {
  await daemon.ok('volume', 'create', '--label', 'kind=hold', 'hold');
  await sh(['-v', 'hold:/data'], 'echo cargo >/data/box');
  assert.equal(await sh(['-v', 'hold:/data:ro'], 'cat /data/box'), 'cargo');
  await daemon.ok('create', '--name', 'user-of-hold', '-v', 'hold:/data', BUSYBOX);
  const { code, stderr } = await daemon.docker('volume', 'rm', 'hold');
  assert.equal(code, 1);
  assert.match(stderr, /volume is in use/);
  await daemon.ok('rm', 'user-of-hold');
  assert.equal(await daemon.ok('volume', 'ls', '-q', '--filter', 'label=kind=hold'), 'hold');
  await daemon.ok('volume', 'rm', 'hold');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), '');
});

test('a new volume starts with what the image has at its place', async () => {
  const text = await sh(['-v', 'copied:/etc'], 'grep -c root /etc/passwd');
  assert.equal(text, '1');
  await daemon.ok('volume', 'rm', 'copied');
});

test('an anonymous volume goes with the container of --rm', async () => {
  await sh(['-v', '/data'], 'touch /data/x');
  assert.equal(await daemon.ok('volume', 'ls', '-q'), '');
});

test('a volume that does not exist is reported in docker’s words', async () => {
  const { code, stderr } = await daemon.docker('volume', 'inspect', 'nowhere');
  assert.equal(code, 1);
  assert.match(stderr, /get nowhere: no such volume/);
});

test('a read-only root file system still has its tmpfs mounts', async () => {
  const text = await sh(
    ['--read-only', '--tmpfs', '/run'],
    'touch /run/a && touch /b 2>&1 || true',
  );
  assert.match(text, /Read-only file system/);
});
