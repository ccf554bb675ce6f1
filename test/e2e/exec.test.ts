import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { RawClient } from '../support/api-fixture.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
await daemon.ok('run', '-d', '--name', 'ship', '-e', 'A=container', BUSYBOX, 'sleep', '10000');

async function call(method: string, path: string, body?: unknown) {
  const answer = await requestOverSocket(daemon.socketPath, path, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  const isJson = answer.body.startsWith('{');
  return { status: answer.status, body: isJson ? JSON.parse(answer.body) : answer.body };
}

/** A session that is created and not started. */
async function create(body: unknown): Promise<string> {
  const { status, body: made } = await call('POST', '/containers/ship/exec', body);
  assert.equal(status, 201);
  return made.Id;
}

const inspect = async (id: string) => (await call('GET', `/exec/${id}/json`)).body;

test('inspect tells of a session before, while and after it runs', async () => {
  const id = await create({
    Cmd: ['sh', '-c', 'until [ -e /go ]; do sleep 0.05; done; exit 41'],
    Env: ['B=session'],
    User: '1000:1000',
    Privileged: true,
    AttachStderr: true,
  });
  const before = await inspect(id);
  assert.deepEqual([before.Running, before.ExitCode, before.Pid], [false, null, 0]);
  assert.deepEqual(before.ProcessConfig, {
    tty: false,
    entrypoint: 'sh',
    arguments: ['-c', 'until [ -e /go ]; do sleep 0.05; done; exit 41'],
    privileged: true,
    user: '1000:1000',
  });
  assert.deepEqual([before.OpenStdin, before.OpenStdout, before.OpenStderr], [false, false, true]);
  assert.equal((await call('POST', `/exec/${id}/start`, { Detach: true })).status, 200);
  const during = await inspect(id);
  assert.equal(during.Running, true);
  assert.ok(during.Pid > 0);
  assert.deepEqual((await call('GET', '/containers/ship/json')).body.ExecIDs, [id]);
  assert.equal((await call('POST', `/exec/${id}/start`, { Detach: true })).status, 409);
  await daemon.ok('exec', 'ship', 'touch', '/go');
  await eventually(async () => (await inspect(id)).Running === false);
  const { ExitCode, Pid, ContainerID } = await inspect(id);
  assert.deepEqual([ExitCode, Pid, ContainerID.length], [41, 0, 64]);
  assert.equal((await call('GET', '/containers/ship/json')).body.ExecIDs, null);
  assert.equal((await call('POST', `/exec/${id}/start`, { Detach: true })).status, 409);
});

test('environment, user and directory are those of the session on top of the container’s', async () => {
  const script = 'echo $A $B $(id -u):$(id -g) $(pwd)';
  const flags = ['-e', 'B=session', '-u', '5:6', '-w', '/tmp'];
  assert.equal(
    await daemon.ok('exec', ...flags, 'ship', 'sh', '-c', script),
    'container session 5:6 /tmp',
  );
});

test('a privileged session has the capabilities that the container lacks', async () => {
  const effective = ['ship', 'sh', '-c', 'grep CapEff /proc/self/status | cut -f 2'];
  const plain = BigInt(`0x${await daemon.ok('exec', ...effective)}`);
  const privileged = BigInt(`0x${await daemon.ok('exec', '--privileged', ...effective)}`);
  const sysAdmin = 1n << 21n;
  assert.deepEqual([plain & sysAdmin, privileged & sysAdmin], [0n, sysAdmin]);
});

test('a command that is not there ends with 127 and one that is no program with 126', async () => {
  const missing = await daemon.docker('exec', 'ship', 'no-such-command');
  assert.equal(missing.code, 127);
  assert.match(
    missing.stdout + missing.stderr,
    /exec: "no-such-command": executable file not found/,
  );
  const unfit = await daemon.docker('exec', 'ship', '/etc/passwd');
  assert.equal(unfit.code, 126);
  assert.match(unfit.stdout + unfit.stderr, /permission denied/);
});

test('sessions that cannot be are refused: paused, stopped, unknown, empty, bad keys', async () => {
  await daemon.ok('pause', 'ship');
  const paused = await call('POST', '/containers/ship/exec', { Cmd: ['true'] });
  await daemon.ok('unpause', 'ship');
  assert.equal(paused.status, 409);
  assert.match(paused.body.message, /is paused, unpause the container before exec/);
  const made = await create({ Cmd: ['true'] });
  await daemon.ok('pause', 'ship');
  const late = await call('POST', `/exec/${made}/start`, { Detach: true });
  await daemon.ok('unpause', 'ship');
  assert.equal(late.status, 409);
  await daemon.ok('create', '--name', 'docked', BUSYBOX);
  const stopped = await call('POST', '/containers/docked/exec', { Cmd: ['true'] });
  assert.equal(stopped.status, 409);
  assert.match(stopped.body.message, /is not running/);
  assert.equal((await call('POST', '/containers/nobody/exec', { Cmd: ['true'] })).status, 404);
  assert.equal((await call('GET', '/exec/nobody/json')).status, 404);
  assert.equal((await call('POST', '/containers/ship/exec', { Cmd: [] })).status, 400);
  const keys = { Cmd: ['true'], Tty: true, DetachKeys: 'ctrl-nothing' };
  assert.equal((await call('POST', '/containers/ship/exec', keys)).status, 400);
  await daemon.ok('rm', 'docked');
});

test('a session is resized while it runs and not after', async () => {
  const id = await create({ Cmd: ['sleep', '1000'], Tty: true, ConsoleSize: [20, 70] });
  await call('POST', `/exec/${id}/start`, { Detach: true, Tty: true });
  assert.equal((await call('POST', `/exec/${id}/resize?h=30&w=90`)).status, 200);
  process.kill((await inspect(id)).Pid, 'SIGKILL');
  await eventually(async () => (await inspect(id)).ExitCode === 137);
  assert.equal((await call('POST', `/exec/${id}/resize?h=30&w=90`)).status, 409);
});

test('events tell of creation, start and end with the session and its exit code', async () => {
  await using events = daemon.watch(
    {},
    'events',
    '--format',
    '{{json .}}',
    '--filter',
    'type=container',
  );
  await eventually(async () => {
    await daemon.ok('exec', 'ship', 'true');
    return events.stdout.includes('exec_die');
  });
  const id = await create({ Cmd: ['sh', '-c', 'exit 9'] });
  await call('POST', `/exec/${id}/start`, { Detach: true });
  await events.printed(new RegExp(`exec_die.*${id}`));
  const ours = events.stdout
    .split('\n')
    .filter((line) => line.includes(id))
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    ours.map(({ Action }) => Action),
    ['exec_create: sh -c exit 9', 'exec_start: sh -c exit 9', 'exec_die'],
  );
  assert.equal(ours[2].Actor.Attributes.exitCode, '9');
});

test('a session goes on through a crash of the engine, which then does not know it, as dockerd does', async () => {
  const id = await create({ Cmd: ['sh', '-c', 'sleep 1; echo done >/session'] });
  await call('POST', `/exec/${id}/start`, { Detach: true });
  await daemon.crashEngine();
  assert.equal((await call('GET', `/exec/${id}/json`)).status, 404);
  await eventually(
    async () => (await daemon.docker('exec', 'ship', 'cat', '/session')).stdout === 'done\n',
  );
});

test('the end of the input counts even when it comes before the session runs', async () => {
  for (let round = 0; round < 5; round++) {
    const Cmd = ['sh', '-c', 'cat && echo closed'];
    const id = await create({ AttachStdin: true, AttachStdout: true, Cmd });
    const client = new RawClient(daemon.socketPath);
    const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 0'];
    client.send(`POST /exec/${id}/start HTTP/1.1`, ...upgrade, '', '');
    client.socket.end();
    assert.match((await client.toEnd()).toString('latin1'), /closed\n$/);
  }
});

test('the size of a terminal is read as strictly as dockerd reads it', async () => {
  const id = await create({ Cmd: ['true'] });
  for (const [query, problem] of [
    ['w=80', 'invalid resize height "": invalid syntax'],
    ['h=-100&w=80', 'invalid resize height "-100": value out of range'],
    ['h=24&w=4294967296', 'invalid resize width "4294967296": value out of range'],
  ] as const) {
    const { status, body } = await call('POST', `/exec/${id}/resize?${query}`);
    assert.deepEqual([status, body.message], [400, problem]);
  }
});
