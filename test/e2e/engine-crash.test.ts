import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const signals = join(daemon.home.root, 'signals');
await mkdir(signals);

/** A container that writes numbered lines until a file appears, then ends with code 17. */
async function counting(name: string): Promise<void> {
  const script = `i=0; until [ -e /s/${name} ]; do i=$((i+1)); echo $i; done; echo last $i; exit 17`;
  await daemon.ok('run', '-d', '--name', name, '-v', `${signals}:/s`, BUSYBOX, 'sh', '-c', script);
}

const finish = (name: string) => writeFile(join(signals, name), '');

/** Checks that the log counts to the number in its last line with nothing missing. */
async function assertWholeLog(name: string): Promise<void> {
  const lines = (await daemon.ok('logs', name)).split('\n');
  const last = Number(/^last (\d+)$/.exec(lines.at(-1) ?? '')?.[1]);
  assert.equal(lines.length, last + 1);
  assert.equal(
    lines.findIndex((line, at) => at < last && line !== String(at + 1)),
    -1,
  );
}

test('a container goes on when the engine is killed, and its log and exit code are whole', async () => {
  await counting('through');
  const pid = await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'through');
  await daemon.crashEngine();
  assert.equal(await daemon.ok('ps', '--format', '{{.Names}}'), 'through');
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'through'), pid);
  await finish('through');
  assert.equal(await daemon.ok('wait', 'through'), '17');
  await assertWholeLog('through');
  await daemon.ok('rm', 'through');
});

test('a container that ends while there is no engine keeps its exit code', async () => {
  await counting('alone');
  const crash = daemon.crashEngine();
  await finish('alone');
  await crash;
  assert.equal(await daemon.ok('wait', 'alone'), '17');
  await assertWholeLog('alone');
  const finished = await daemon.ok('inspect', '-f', '{{.State.FinishedAt}}', 'alone');
  assert.ok(Math.abs(Date.parse(finished) - Date.now()) < 60_000);
  await daemon.ok('rm', 'alone');
});

test('after a crash a container is entered, followed and stopped as before', async () => {
  await counting('worked');
  await daemon.crashEngine();
  assert.equal(await daemon.ok('exec', 'worked', 'echo', 'in'), 'in');
  await using logs = daemon.watch({}, 'logs', '-f', '--tail', '0', 'worked');
  await logs.printed(/^\d+$/m);
  await daemon.ok('stop', '-t', '0', 'worked');
  assert.equal((await logs.ended).code, 0);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.ExitCode}}', 'worked'), '137');
  await daemon.ok('rm', 'worked');
});

test('a published port answers again after a crash', async () => {
  const script = 'echo ahoy >/index.html && exec httpd -f -p 80 -h /';
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'port',
    '-p',
    '127.0.0.1::80',
    BUSYBOX,
    'sh',
    '-c',
    script,
  );
  const address = await daemon.ok('port', 'port', '80');
  await daemon.crashEngine();
  assert.equal(await daemon.ok('port', 'port', '80'), address);
  const body = await eventually(async () => (await fetch(`http://${address}/`)).text());
  assert.equal(body, 'ahoy\n');
  await daemon.ok('rm', '-f', 'port');
});

test('a container with --rm that ends without an engine is removed by the next one', async () => {
  await daemon.ok(
    ...['run', '-d', '--rm', '--name', 'brief', '-v', `${signals}:/s`],
    ...[BUSYBOX, 'sh', '-c', 'until [ -e /s/brief ]; do sleep 0.01; done'],
  );
  const crash = daemon.crashEngine();
  await finish('brief');
  await crash;
  await eventually(async () => (await daemon.ok('ps', '-aq', '--filter', 'name=brief')) === '');
});

test('a crash in the middle of starts leaves only states that can be used', async () => {
  for (let round = 0; round < 3; round++) {
    const starts = [0, 1, 2, 3].map((n) =>
      daemon.docker('run', '-d', '--name', `r${round}-${n}`, BUSYBOX, 'sleep', '1000'),
    );
    await Promise.race(starts);
    await daemon.crashEngine();
    await Promise.all(starts);
    const states = (await daemon.ok('ps', '-a', '--format', '{{.State}}')).split('\n');
    assert.ok(
      states.every((state) => /^(created|running|exited)$/.test(state)),
      states.join(),
    );
    const names = (await daemon.ok('ps', '-aq')).split('\n');
    await daemon.ok('rm', '-f', ...names);
    assert.equal(await daemon.ok('ps', '-aq'), '');
  }
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'echo', 'fine'), 'fine');
});

test('the engine and its containers do not notice that the host process is replaced', async () => {
  await counting('floating');
  const engine = (await daemon.status()).engine?.pid;
  await daemon.crashHost();
  assert.ok(await daemon.answers());
  await daemon.start();
  await eventually(async () => (await daemon.status()).state === 'running');
  assert.equal((await daemon.status()).engine?.pid, engine);
  await finish('floating');
  assert.equal(await daemon.ok('wait', 'floating'), '17');
  await assertWholeLog('floating');
});

test('containers that end because their namespaces lost their holder say so', async () => {
  await daemon.ok('run', '-d', '--name', 'adrift', '--stop-timeout', '0', BUSYBOX, 'sleep', '1000');
  process.kill((await daemon.status()).anchor?.pid ?? 0, 'SIGKILL');
  await eventually(async () => (await daemon.status()).state === 'stopped');
  await daemon.start();
  assert.equal(
    await daemon.ok('inspect', '-f', '{{.State.Status}} {{.State.Error}}', 'adrift'),
    'exited the process that holds the namespaces of all containers has ended',
  );
});
