import assert from 'node:assert/strict';
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { runCommand } from '../support/run-command.ts';
import { makeTestHome } from '../support/test-home.ts';
import { NO_TRACES, tracesOf, userNamespaceOf } from '../support/traces.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli.js');

test('down leaves nothing, whatever was running', async () => {
  await using daemon = await startDaemon();
  const anchor = (await daemon.status()).anchor?.pid ?? 0;
  const namespace = await userNamespaceOf(anchor);
  assert.notEqual(namespace, undefined);
  await daemon.ok('run', '-d', '-p', '127.0.0.1::80', BUSYBOX, 'sleep', '1000');
  await daemon.ok('run', '-d', '-v', 'kept:/data', BUSYBOX, 'sh', '-c', 'trap "" TERM; sleep 1000');
  await daemon.ok('run', '-d', '--name', 'execs', BUSYBOX, 'sleep', '1000');
  await daemon.ok('exec', '-d', 'execs', 'sleep', '1000');
  const { code, stderr } = await daemon.wherry('down');
  assert.equal(code, 0, stderr);
  assert.deepEqual(await tracesOf(daemon.home, namespace), NO_TRACES);
});

test('a first start brings the embedded image, and a second one keeps everything', async () => {
  await using home = await makeTestHome();
  {
    await using first = await startDaemon({ home });
    assert.equal(
      await first.ok('run', '--name', 'kept', '-v', 'hold:/d', BUSYBOX, 'echo', 'hi'),
      'hi',
    );
    await first.ok('run', '-d', '--name', 'running', BUSYBOX, 'sleep', '1000');
  }
  await using second = await startDaemon({ home });
  const format = ['--format', '{{.Names}} {{.State}}'];
  const list = (await second.ok('ps', '-a', ...format)).split('\n').toSorted();
  assert.deepEqual(list, ['kept exited', 'running exited']);
  assert.equal(await second.ok('logs', 'kept'), 'hi');
  assert.equal(await second.ok('volume', 'ls', '-q'), 'hold');
  assert.equal(await second.ok('start', '-a', 'kept'), 'hi');
});

test('a second daemon in the same place is refused and names the first', async () => {
  await using daemon = await startDaemon();
  const { code, stderr } = await daemon.wherry('daemon');
  assert.notEqual(code, 0);
  assert.match(stderr, /already|running/i);
  assert.match(stderr, new RegExp(String((await daemon.status()).host?.pid)));
  assert.ok(await daemon.answers());
});

test('up starts a daemon in the background and says what to type; down ends it', async () => {
  await using home = await makeTestHome();
  const wherry = (...args: readonly string[]) =>
    runCommand([process.execPath, PROGRAM, ...args], { env: home.env });
  const up = await wherry('up');
  assert.equal(up.code, 0, up.stderr);
  assert.match(up.stdout + up.stderr, /DOCKER_HOST=unix:\/\/\S+docker\.sock/);
  const again = await wherry('up');
  assert.equal(again.code, 0, again.stderr);
  const context = await runCommand(['docker', '--context', 'wherry', 'version'], { env: home.env });
  assert.equal(context.code, 0, context.stderr);
  const status = JSON.parse((await wherry('status', '--json')).stdout);
  assert.equal(status.state, 'running');
  assert.equal((await wherry('down')).code, 0);
  assert.equal(JSON.parse((await wherry('status', '--json')).stdout).state, 'stopped');
  assert.deepEqual(await readdir(home.runtimeDir, { recursive: true }), []);
});

test('down cleans up after a host process that was killed', async () => {
  await using daemon = await startDaemon();
  const namespace = await userNamespaceOf((await daemon.status()).anchor?.pid ?? 0);
  await daemon.ok('run', '-d', BUSYBOX, 'sleep', '1000');
  await daemon.crashHost();
  assert.equal((await daemon.wherry('down')).code, 0);
  assert.deepEqual(await tracesOf(daemon.home, namespace), NO_TRACES);
});

test('a data directory that cannot be written is named at start', async () => {
  await using home = await makeTestHome();
  await chmod(home.dataDir, 0o500);
  const { code, stderr } = await runCommand([process.execPath, PROGRAM, 'daemon'], {
    env: home.env,
    timeoutMs: 30_000,
  });
  await chmod(home.dataDir, 0o700);
  assert.notEqual(code, 0);
  assert.match(
    stderr,
    new RegExp(
      `${home.dataDir}.*(EACCES|ermission denied)|(EACCES|ermission denied).*${home.dataDir}`,
      's',
    ),
  );
  assert.deepEqual(await tracesOf(home, undefined), NO_TRACES);
});

test('idle clients do not keep the daemon from ending', async () => {
  await using daemon = await startDaemon();
  await using events = daemon.watch({}, 'events');
  await daemon.ok('run', '--rm', BUSYBOX, 'true');
  await events.printed(/die/);
  await daemon.stop();
  await eventually(async () => !(await daemon.answers()));
  await events.ended;
});
