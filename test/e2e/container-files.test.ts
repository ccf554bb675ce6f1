/** Files of containers by the docker client: cp in both directions, export. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { runCommand } from '../support/run-command.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const files = join(daemon.home.root, 'files');
await mkdir(files);

const running = (name: string, ...flags: readonly string[]) =>
  daemon.ok('run', '-d', '--name', name, ...flags, BUSYBOX, 'sleep', '1000');
const shell = (name: string, script: string) => daemon.ok('exec', name, 'sh', '-c', script);
const local = (name: string) => join(files, name);

test('a file goes in and comes out of a running container', async () => {
  await running('box');
  await writeFile(local('note'), 'hello', { mode: 0o640 });
  await daemon.ok('cp', local('note'), 'box:/tmp/note');
  assert.equal(await shell('box', 'cat /tmp/note; stat -c " %a" /tmp/note'), 'hello 640');
  await shell('box', 'echo changed >/tmp/note');
  await daemon.ok('cp', 'box:/tmp/note', local('back'));
  assert.equal(await readFile(local('back'), 'utf8'), 'changed\n');
});

test('a directory comes with everything in it, or its contents only', async () => {
  await shell(
    'box',
    'mkdir -p /d/e/f && echo 1 >/d/e/one && ln -s ../x /d/link && ln /d/e/one /d/two',
  );
  await shell('box', 'yes 0123456789abcdef | head -c 3000000 >/d/big');
  await daemon.ok('cp', 'box:/d', local('whole'));
  assert.equal(await readFile(local('whole/e/one'), 'utf8'), '1\n');
  assert.equal(await readlink(local('whole/link')), '../x');
  assert.equal(await readFile(local('whole/two'), 'utf8'), '1\n');
  assert.equal((await readFile(local('whole/big'))).length, 3_000_000);
  await mkdir(local('contents'));
  await daemon.ok('cp', 'box:/d/e/.', local('contents'));
  assert.equal(await readFile(local('contents/one'), 'utf8'), '1\n');
  assert.ok((await lstat(local('contents/f'))).isDirectory());
});

test('a directory goes in, into a new name or into a directory that is there', async () => {
  await mkdir(local('src/sub'), { recursive: true });
  await writeFile(local('src/sub/a'), 'A');
  await symlink('sub/a', local('src/to-a'));
  await daemon.ok('cp', local('src'), 'box:/new');
  assert.equal(await shell('box', 'cat /new/to-a'), 'A');
  await daemon.ok('cp', local('src'), 'box:/tmp');
  assert.equal(await shell('box', 'cat /tmp/src/sub/a'), 'A');
  await daemon.ok('cp', `${local('src')}/.`, 'box:/tmp');
  assert.equal(await shell('box', 'cat /tmp/sub/a'), 'A');
});

test('links lead through the container only', async () => {
  await shell('box', 'ln -s /etc/passwd /tmp/abs && ln -s ../../../../../../etc /tmp/up');
  await daemon.ok('cp', '-L', 'box:/tmp/abs', local('passwd'));
  assert.equal(
    await readFile(local('passwd'), 'utf8'),
    `${await shell('box', 'cat /etc/passwd')}\n`,
  );
  await daemon.ok('cp', local('note'), 'box:/tmp/up/note');
  assert.equal(await shell('box', 'cat /etc/note'), 'hello');
  await daemon.ok('cp', 'box:/tmp/abs', local('abs'));
  assert.equal(await readlink(local('abs')), '/etc/passwd');
});

test('volumes and binds are seen where the container has them, running or not', async () => {
  await mkdir(local('bound'));
  await writeFile(local('bound/b'), 'from the host');
  const mounts = ['-v', 'vol:/data/vol', '-v', `${local('bound')}:/data/bound:ro`];
  await daemon.ok('create', '--name', 'idle', ...mounts, BUSYBOX, 'cat', '/data/vol/note');
  await daemon.ok('cp', local('note'), 'idle:/data/vol');
  await daemon.ok('cp', 'idle:/data', local('data'));
  assert.equal(await readFile(local('data/bound/b'), 'utf8'), 'from the host');
  assert.equal(await readFile(local('data/vol/note'), 'utf8'), 'hello');
  const { code, stderr } = await daemon.docker('cp', local('note'), 'idle:/data/bound');
  assert.equal(code, 1);
  assert.match(stderr, /mounted volume is marked read-only/);
  assert.equal(await daemon.ok('start', '-a', 'idle'), 'hello');
  await daemon.ok('cp', 'idle:/data/vol/note', local('after'));
  assert.equal(await readFile(local('after'), 'utf8'), 'hello');
});

test('a container with a read-only root takes files in its volumes only', async () => {
  await running('closed', '--read-only', '-v', 'free:/free');
  const { code, stderr } = await daemon.docker('cp', local('note'), 'closed:/');
  assert.equal(code, 1);
  assert.match(stderr, /container rootfs is marked read-only/);
  await daemon.ok('cp', local('note'), 'closed:/free/');
  assert.equal(await shell('closed', 'cat /free/note'), 'hello');
});

test('what cannot be copied is refused with a reason', async () => {
  const cases: [string[], RegExp][] = [
    [['box:/nowhere', local('x')], /Could not find the file \/nowhere in container box/],
    [[local('note'), 'box:/nowhere/'], /no such (directory|file)|not a directory|Could not find/i],
    [[local('note'), 'box:/etc/passwd/'], /no such directory|not a directory/i],
    [[local('src'), 'box:/etc/passwd'], /cannot copy directory|not a directory/i],
    [['none:/etc', local('x')], /No such container: none/],
  ];
  for (const [args, reason] of cases) {
    const { code, stderr } = await daemon.docker('cp', ...args);
    assert.notEqual(code, 0, args.join(' '));
    assert.match(stderr, reason);
  }
  const put = (path: string, body: string) =>
    requestOverSocket(daemon.socketPath, `/containers/box/archive?path=${path}`, {
      method: 'PUT',
      body,
    });
  assert.equal((await put('/etc/passwd', '')).status, 400);
  assert.equal((await put('/nowhere', '')).status, 404);
  assert.equal((await put('/tmp', 'x'.repeat(600))).status, 400);
  assert.equal((await put('/tmp', '')).status, 200);
});

test('owners are ids inside of the container', async () => {
  await shell('box', 'echo x >/owned && chown 12:34 /owned && chmod 4711 /owned');
  await daemon.ok('cp', 'box:/owned', local('owned'));
  const archive = await runCommand(
    ['sh', '-c', 'docker cp box:/owned - | tar -tv --numeric-owner'],
    {
      env: daemon.env,
    },
  );
  assert.match(archive.stdout, /^-rws--x--x 12\/34 /);
  const copied = await runCommand(['sh', '-c', 'docker cp box:/owned - | docker cp - box:/tmp'], {
    env: daemon.env,
  });
  assert.equal(copied.code, 0, copied.stderr);
  assert.equal(await shell('box', 'stat -c "%u:%g %a" /tmp/owned'), '12:34 4711');
});

test('the archive flag gives files to the user of the container', async () => {
  await running('user', '--user', '7:8');
  await daemon.ok('cp', '-a', local('note'), 'user:/tmp/note');
  assert.equal(await shell('user', 'stat -c "%u:%g" /tmp/note'), '7:8');
});

test('what is copied to a tmpfs goes below it, as with Docker', async () => {
  await running('memory', '--tmpfs', '/quick');
  await daemon.ok('cp', local('note'), 'memory:/quick/note');
  assert.equal(await shell('memory', 'ls /quick'), '');
  await daemon.ok('cp', 'memory:/quick/note', local('below'));
  assert.equal(await readFile(local('below'), 'utf8'), 'hello');
});

test('nothing stays mounted when all is copied', async () => {
  assert.deepEqual(await readdir(join(daemon.home.runtimeDir, 'wherry', 'trees')), []);
});
