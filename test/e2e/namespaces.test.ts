import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { after, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const SLEEP = [BUSYBOX, 'sleep', '1000'];
const RUNTIMES = ['crun', 'runc'];

const namespace = (name: string, kind: string) =>
  daemon.ok('exec', name, 'readlink', `/proc/self/ns/${kind}`);
const mode = (name: string, field: string) =>
  daemon.ok('inspect', '-f', `{{.HostConfig.${field}}}`, name);
const remove = (...names: string[]) => daemon.ok('rm', '-f', ...names);

for (const runtime of RUNTIMES) {
  test(`${runtime}: a container sees the processes of the one whose pid namespace it joins`, async () => {
    const id = await daemon.ok('run', '-d', '--name', 'target', '--runtime', runtime, ...SLEEP);
    const flags = ['--runtime', runtime, '--name', 'joins', '--pid', 'container:target'];
    await daemon.ok('run', '-d', ...flags, BUSYBOX, 'sleep', '2000');
    assert.equal(await mode('joins', 'PidMode'), `container:${id}`);
    assert.equal(await namespace('joins', 'pid'), await namespace('target', 'pid'));
    assert.match(await daemon.ok('exec', 'joins', 'ps'), /^ +1 .*sleep 1000$/m);
    await daemon.crashEngine();
    assert.equal((await daemon.ok('ps', '-q', '--filter', 'name=joins')) === '', false);
    await daemon.ok('kill', 'target');
    assert.equal(await daemon.ok('wait', 'joins'), '137');
    await remove('target', 'joins');
  });

  test(`${runtime}: containers with a shareable IPC namespace share memory`, async () => {
    const flags = ['--runtime', runtime];
    const shareable = ['--ipc', 'shareable', '--shm-size', '4m'];
    await daemon.ok('run', '-d', '--name', 'donor', ...flags, ...shareable, ...SLEEP);
    await daemon.ok('exec', 'donor', 'sh', '-c', 'echo shared >/dev/shm/note');
    const join = ['--ipc', 'container:donor'];
    await daemon.ok('run', '-d', '--name', 'guest', ...flags, ...join, ...SLEEP);
    assert.equal(await namespace('guest', 'ipc'), await namespace('donor', 'ipc'));
    assert.equal(await daemon.ok('exec', 'guest', 'cat', '/dev/shm/note'), 'shared');
    assert.match(await daemon.ok('exec', 'guest', 'df', '-k', '/dev/shm'), / 4096 /);
    await daemon.ok(
      'run',
      '--rm',
      ...flags,
      '--ipc',
      'container:guest',
      BUSYBOX,
      'cat',
      '/dev/shm/note',
    );
    await daemon.ok('stop', '-t', '0', 'donor');
    assert.equal(await daemon.ok('exec', 'guest', 'cat', '/dev/shm/note'), 'shared');
    await remove('donor', 'guest');
  });
}

test('pausing a container leaves those alone that joined its pid namespace', async () => {
  await daemon.ok('run', '-d', '--name', 'target', ...SLEEP);
  await daemon.ok('run', '-d', '--name', 'joins', '--pid', 'container:target', ...SLEEP);
  await daemon.ok('pause', 'target');
  assert.equal(await daemon.ok('exec', 'joins', 'echo', 'afloat'), 'afloat');
  assert.match(await daemon.ok('exec', 'joins', 'ps', '-o', 'pid,stat,args'), /S +sleep 1000$/m);
  assert.equal((await daemon.ok('top', 'target')).match(/sleep 1000/g)?.length, 1);
  await daemon.ok('unpause', 'target');
  await remove('target', 'joins');
});

test('namespaces are let go of when their container ended while there was no engine', async () => {
  await daemon.ok('run', '-d', '--name', 'donor', '--ipc', 'shareable', ...SLEEP);
  const both = ['--pid', 'container:donor', '--ipc', 'container:donor'];
  await daemon.ok('run', '-d', '--name', 'guest', ...both, ...SLEEP);
  const pins = () => readdir(`${daemon.home.runtimeDir}/wherry/pins`);
  assert.equal((await pins()).length, 2);
  const guest = Number(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'guest'));
  const engine = (await daemon.status()).engine?.pid ?? 0;
  process.kill(engine, 'SIGKILL');
  process.kill(guest, 'SIGKILL');
  const state = ['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'guest'];
  await eventually(async () => (await daemon.docker(...state)).stdout.trim() === 'exited 137');
  await eventually(async () => (await pins()).length === 1);
  await remove('donor', 'guest');
  assert.deepEqual(await pins(), []);
});

test('who keeps the caller’s id joins namespaces too', requires('fuse-overlayfs'), async () => {
  await daemon.ok('run', '-d', '--name', 'donor', '--ipc', 'shareable', ...SLEEP);
  const keeps = ['--rm', '--label', 'wherry.userns=keep-id', '-u', '1000'];
  const both = ['--pid', 'container:donor', '--ipc', 'container:donor'];
  const script = 'id -u; ps -o args | grep -c "^sleep 1000"; echo note >/dev/shm/note';
  const said = await daemon.ok('run', ...keeps, ...both, BUSYBOX, 'sh', '-c', script);
  assert.equal(said, '1000\n1');
  assert.equal(await daemon.ok('exec', 'donor', 'cat', '/dev/shm/note'), 'note');
  await remove('donor');
});

test('a container keeps its IPC namespace to itself unless told otherwise', async () => {
  await daemon.ok('run', '-d', '--name', 'private', ...SLEEP);
  assert.equal(await mode('private', 'IpcMode'), 'private');
  const { code, stderr } = await daemon.docker('run', '--ipc', 'container:private', ...SLEEP);
  assert.equal(code, 125);
  assert.match(
    stderr,
    /failed to join IPC namespace: container \w+: non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/,
  );
  await remove('private');
});

test('a namespace of a container that does not run or exist cannot be joined', async () => {
  const id = await daemon.ok('create', '--name', 'idle', ...SLEEP);
  for (const [flag, message] of [
    ['--pid=container:idle', `failed to join PID namespace: container ${id} is not running`],
    ['--ipc=container:idle', `failed to join IPC namespace: container ${id} is not running`],
    ['--network=container:idle', 'non running container: container idle is created'],
    ['--pid=container:nobody', 'No such container: nobody'],
    ['--network=container:nobody', 'joining network namespace of container: No such container'],
  ] as const) {
    const { code, stderr } = await daemon.docker('run', flag, ...SLEEP);
    assert.equal(code, 125, flag);
    assert.ok(stderr.includes(message), stderr);
  }
  await remove('idle');
});

test('who shares a network has the names of its owner', async () => {
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'owner',
    '-h',
    'harbour',
    '--add-host',
    'pier:10.1.2.3',
    ...SLEEP,
  );
  const flags = ['--rm', '--network', 'container:owner'];
  const text = await daemon.ok('run', ...flags, BUSYBOX, 'sh', '-c', 'hostname; cat /etc/hosts');
  assert.match(text, /^harbour$/m);
  assert.match(text, /^10\.1\.2\.3\tpier$/m);
  assert.match(text, /^172\.\S+\tharbour$/m);
  await remove('owner');
});

test('a host name contradicts the host’s own UTS namespace', async () => {
  const { code, stderr } = await daemon.docker('create', '--uts', 'host', '-h', 'x', ...SLEEP);
  assert.equal(code, 1);
  assert.match(stderr, /conflicting options: hostname and the UTS mode/);
});
