import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const run = (...args: readonly string[]) => daemon.docker('run', '--rm', ...args);

test('output goes to the stream that the process wrote to', async () => {
  const result = await run(BUSYBOX, 'sh', '-c', 'echo out; echo err >&2');
  assert.deepEqual(result, { code: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('the exit code of the process is the exit code of the client', async () => {
  assert.equal((await run(BUSYBOX, 'sh', '-c', 'exit 37')).code, 37);
});

test('death by a signal gives 128 and its number', async () => {
  const running = daemon.watch({}, 'run', '--rm', '--name', 'struck', BUSYBOX, 'sleep', '1000');
  await eventually(async () => (await daemon.docker('kill', 'struck')).code === 0);
  assert.equal((await running.ended).code, 137);
});

test('a command that is not in the image gives 127 and says so', async () => {
  const { code, stderr } = await run(BUSYBOX, 'no-such-command');
  assert.equal(code, 127);
  assert.match(stderr, /exec: "no-such-command": executable file not found in \$PATH/);
});

test('a command that cannot be executed gives 126', async () => {
  const { code, stderr } = await run(BUSYBOX, '/etc/passwd');
  assert.equal(code, 126);
  assert.match(stderr, /permission denied/);
});

test('a request that the engine refuses gives 125 and leaves no container', async () => {
  const { code, stderr } = await run('--name', 'bad/name', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /Invalid container name \(bad\/name\)/);
  assert.equal(await daemon.ok('ps', '-aq'), '');
});

test('the container of a command that was not found is removed by --rm', async () => {
  await run('--name', 'gone', BUSYBOX, 'no-such-command');
  assert.equal(await daemon.ok('ps', '-aq', '--filter', 'name=gone'), '');
});

test('100 MB go through stdin and stdout unchanged', async () => {
  const block = Buffer.alloc(1 << 20, 'wherry carries cargo\n');
  const blocks = Array.from({ length: 100 }, () => block);
  const expected = createHash('sha256');
  for (const piece of blocks) expected.update(piece);
  const { code, stdout } = await daemon.dockerWith(
    { stdin: Readable.from(blocks) },
    ...['run', '-i', '--rm', BUSYBOX, 'sh', '-c', 'cat | sha256sum'],
  );
  assert.equal(code, 0);
  assert.equal(stdout, `${expected.digest('hex')}  -\n`);
});

test('100 MB come out of the container unchanged', async () => {
  const block = Buffer.alloc(1 << 20, 'wherry carries cargo back\n');
  const { code, stdout } = await daemon.dockerWith(
    { stdin: Readable.from(Array.from({ length: 100 }, () => block)) },
    ...['run', '-i', '--rm', BUSYBOX, 'cat'],
  );
  assert.equal(code, 0);
  assert.equal(stdout.length, 100 << 20);
  assert.ok(Buffer.from(stdout.slice(-block.length)).equals(block));
});

test('input that ends early is an end of file for the process', async () => {
  const { stdout } = await daemon.dockerWith(
    { stdin: 'one\ntwo\n' },
    ...['run', '-i', '--rm', BUSYBOX, 'sh', '-c', 'while read l; do echo got $l; done; echo end'],
  );
  assert.equal(stdout, 'got one\ngot two\nend\n');
});

test('environment, working directory, hostname and user are as asked for', async () => {
  const settings = ['-e', 'COLOUR=blue', '-w', '/srv/new', '-h', 'ferry', '-u', '1000:100'];
  const { stdout, stderr } = await run(
    ...[...settings, BUSYBOX, 'sh', '-c', 'echo $COLOUR $PWD $(hostname) $(id -u):$(id -g)'],
  );
  assert.equal(stdout, 'blue /srv/new ferry 1000:100\n', stderr);
});

test('an entrypoint takes the command as its arguments', async () => {
  const { stdout } = await run('--entrypoint', 'echo', BUSYBOX, 'a', 'b');
  assert.equal(stdout, 'a b\n');
});

test('a user that the image does not know is refused', async () => {
  const { code, stderr } = await run('-u', 'captain', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /unable to find user captain: no matching entries in passwd file/);
});

test('--init reaps orphans and forwards signals', async () => {
  const script = 'sh -c "sleep 0 & exec sleep 0" ; ps -o pid,args | head -3';
  const { stdout } = await run('--init', BUSYBOX, 'sh', '-c', script);
  assert.match(stdout, /\b1 .*init/);
});

test('default capabilities are limited and --privileged lifts the limits', async () => {
  const script = 'grep CapEff /proc/self/status; mount -t tmpfs none /mnt 2>&1; mkdir -p /mnt';
  const limited = await run(BUSYBOX, 'sh', '-c', script);
  assert.match(limited.stdout, /CapEff:\s+00000000a80425fb/);
  const privileged = await run(
    '--privileged',
    BUSYBOX,
    'sh',
    '-c',
    'mount -t tmpfs n /tmp && echo ok',
  );
  assert.equal(privileged.stdout, 'ok\n', privileged.stderr);
});

test('a system call outside of the default seccomp rules fails unless unconfined', async () => {
  const command = [BUSYBOX, 'unshare', '-U', 'true'];
  assert.notEqual((await run(...command)).code, 0);
  const free = await run('--security-opt', 'seccomp=unconfined', ...command);
  assert.equal(free.code, 0, free.stderr);
});

test('kernel settings under /proc are hidden or read-only', async () => {
  const script =
    'echo 1 >/proc/sys/kernel/panic 2>/dev/null || echo refused; cat /proc/keys | wc -c';
  const { stdout } = await run(BUSYBOX, 'sh', '-c', script);
  assert.equal(stdout, 'refused\n0\n');
});

test('labels are kept and found by filters', async () => {
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'labelled',
    '--label',
    'tide=high',
    BUSYBOX,
    'sleep',
    '1000',
  );
  assert.equal(
    await daemon.ok('ps', '--filter', 'label=tide=high', '--format', '{{.Names}}'),
    'labelled',
  );
  assert.equal(await daemon.ok('ps', '-q', '--filter', 'label=tide=low'), '');
  await daemon.ok('rm', '-f', 'labelled');
});

for (const runtime of ['crun', 'runc']) {
  test(`${runtime} runs containers with default settings`, async () => {
    const { code, stdout, stderr } = await run('--runtime', runtime, BUSYBOX, 'echo', 'aboard');
    assert.deepEqual({ code, stdout }, { code: 0, stdout: 'aboard\n' }, stderr);
  });

  test(`${runtime} reports a missing command and a missing permission`, async () => {
    assert.equal((await run('--runtime', runtime, BUSYBOX, 'no-such-command')).code, 127);
    assert.equal((await run('--runtime', runtime, BUSYBOX, '/etc/group')).code, 126);
  });

  test(`${runtime} runs extra processes in a container`, async () => {
    const name = `exec-${runtime}`;
    await daemon.ok('run', '-d', '--runtime', runtime, '--name', name, BUSYBOX, 'sleep', '1000');
    assert.equal(await daemon.ok('exec', name, 'cat', '/proc/1/comm'), 'sleep');
    assert.equal((await daemon.docker('exec', name, 'sh', '-c', 'exit 5')).code, 5);
    await daemon.ok('rm', '-f', name);
  });
}
