import assert from 'node:assert/strict';
import { chmod, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readStat } from '../../src/sys/proc/process-identity.ts';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { makeTestHome } from '../support/test-home.ts';
import { NO_TRACES, tracesOf, userNamespaceOf } from '../support/traces.ts';

const data = (daemon: TestDaemon, ...parts: readonly string[]) =>
  join(daemon.home.dataDir, 'wherry', ...parts);

async function warningsOf(daemon: TestDaemon): Promise<string> {
  return await daemon.ok('info', '--format', '{{json .Warnings}}');
}

test('documents that cannot be read are put aside and named, everything else goes on, and a repair brings them back', async () => {
  await using home = await makeTestHome();
  const first = await startDaemon({ home });
  const id = await first.ok('run', '-d', '--name', 'broken', BUSYBOX, 'sh', '-c', 'echo kept >/it');
  await first.ok('wait', 'broken');
  await first.ok(
    'run',
    '--name',
    'whole',
    '-v',
    'tale:/t',
    BUSYBOX,
    'sh',
    '-c',
    'echo told >/t/it',
  );
  await first.ok('network', 'create', 'pond');
  await first[Symbol.asyncDispose]();
  const document = data(first, 'containers', id, 'container.json');
  const good = await readFile(document);
  await truncate(document, good.length >> 1);
  await writeFile(data(first, 'volumes/tale/volume.json'), '{"v":1,"name":7}');
  const [network = ''] = await networkFile(data(first, 'networks'), 'pond');
  await writeFile(network, '');

  const second = await startDaemon({ home });
  assert.equal(await second.ok('ps', '-a', '--format', '{{.Names}}'), 'whole');
  for (const told of [await warningsOf(second), (await second.wherry('status')).stdout]) {
    assert.match(told, new RegExp(`containers/${id}/container.json cannot be used`));
    assert.match(told, /volumes\/tale\/volume.json cannot be used/);
    assert.match(told, /networks\/\w+.json cannot be used: .*empty file/);
  }
  // The volume is made anew around its files.
  assert.equal(await second.ok('run', '--rm', '-v', 'tale:/t', BUSYBOX, 'cat', '/t/it'), 'told');
  assert.equal(await second.ok('start', '-a', 'whole'), '');
  await second[Symbol.asyncDispose]();

  await writeFile(document, good);
  await using third = await startDaemon({ home });
  assert.equal(await third.ok('cp', 'broken:/it', join(home.root, 'it')), '');
  assert.equal(await readFile(join(home.root, 'it'), 'utf8'), 'kept\n');
  assert.doesNotMatch(await warningsOf(third), /cannot be used/);
});

/** The document of a network by its name. */
async function networkFile(dir: string, name: string): Promise<readonly string[]> {
  const paths = (await readdir(dir)).map((file) => join(dir, file));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return paths.filter((_, at) => texts[at]?.includes(`"${name}"`));
}

test('a document of a newer program stops the start with its path, and nothing is touched', async () => {
  await using home = await makeTestHome();
  const first = await startDaemon({ home });
  const id = await first.ok('create', BUSYBOX);
  await first[Symbol.asyncDispose]();
  const document = data(first, 'containers', id, 'container.json');
  const newer = (await readFile(document, 'utf8')).replace('"v": 1', '"v": 2');
  await writeFile(document, newer);
  const bad = data(first, 'volumes/bad');
  await assert.rejects(startDaemon({ home }), (error: Error) => {
    assert.match(error.message, /container\.json/);
    assert.match(error.message, /newer/);
    return true;
  });
  assert.equal(await readFile(document, 'utf8'), newer);
  assert.equal(await readdir(bad).catch(() => 'absent'), 'absent');
});

test('a data directory that cannot be written to stops the start with the reason, and nothing is left', async () => {
  await using home = await makeTestHome();
  await chmod(home.dataDir, 0o500);
  await assert.rejects(startDaemon({ home }), /permission denied|EACCES|cannot write/i);
  assert.deepEqual(await tracesOf(home, undefined), NO_TRACES);
  await chmod(home.dataDir, 0o700);
});

test('what runs on a disk that fills up ends with its exit code, and all is well once there is room', async () => {
  await using home = await makeTestHome();
  const small = `mount -t tmpfs -o size=24m,mode=0700 disk ${home.dataDir}`;
  await using daemon = await startDaemon({ home, surroundings: small });
  const wait = 'until [ -e /go ]; do sleep 0.05; done';
  const script = `echo start; ${wait}; dd if=/dev/zero of=/big bs=64k 2>/dev/null; exit 7`;
  await daemon.ok('run', '-d', '--name', 'filler', BUSYBOX, 'sh', '-c', script);
  // Only what the monitor has written while there was room can be there afterwards.
  await eventually(async () => (await daemon.ok('logs', 'filler')) === 'start');
  await daemon.ok('exec', 'filler', 'touch', '/go');
  assert.equal(await daemon.ok('wait', 'filler'), '7');
  const created = await daemon.docker('create', '--name', 'late', BUSYBOX);
  assert.equal(created.code, 1);
  assert.match(created.stderr, /no space left on device.*free some disk space/);
  const state = async () =>
    await daemon.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'filler');
  assert.equal(await state(), 'exited 7');
  await daemon.crashEngine();
  assert.equal(await state(), 'exited 7');
  assert.equal(await daemon.ok('logs', 'filler'), 'start');
  const failed = await daemon.docker('start', 'filler');
  if (failed.code !== 0) {
    assert.match(failed.stderr, /no space left on device/);
    assert.match(await state(), /^exited /);
  }
  await daemon.ok('rm', '-f', 'filler');
  await daemon.ok('run', '--name', 'late', BUSYBOX, 'true');
});

test('when the uplink is killed containers stay and the next uplink serves them', async () => {
  await using daemon = await startDaemon();
  await daemon.ok('run', '-d', '--name', 'moored', BUSYBOX, 'sleep', '1000');
  const pid = await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'moored');
  const before = (await daemon.status()).uplink?.pid ?? 0;
  process.kill(before, 'SIGKILL');
  await eventually(async () => {
    const now = (await daemon.status()).uplink?.pid;
    return now !== undefined && now !== before;
  });
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'moored'), pid);
  // The gateway of slirp4netns answers to ARP and ping from the engine's own address.
  await eventually(() => daemon.ok('exec', 'moored', 'ping', '-c', '1', '-W', '2', '10.0.2.2'));
});

test('a container whose monitor is killed ends with what happened as its error', async () => {
  await using daemon = await startDaemon();
  const id = await daemon.ok('run', '-d', '--name', 'orphan', BUSYBOX, 'sleep', '1000');
  const init = Number(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'orphan'));
  const note = JSON.parse(
    await readFile(join(daemon.home.runtimeDir, 'wherry/containers', id, 'task.json'), 'utf8'),
  );
  process.kill(note.record.monitor.pid, 'SIGKILL');
  assert.equal(await daemon.ok('wait', 'orphan'), '255');
  const format = '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}';
  assert.equal(
    await daemon.ok('inspect', '-f', format, 'orphan'),
    'exited 255 container process was lost with its monitor',
  );
  assert.match((await readStat(init))?.state ?? 'gone', /^(gone|Z|X)$/);
  await daemon.ok('start', 'orphan');
  await daemon.ok('rm', '-f', 'orphan');
});

test('when what holds the namespaces is killed everything goes, and the next start is clean and says what was lost', async () => {
  await using home = await makeTestHome();
  const first = await startDaemon({ home });
  await first.ok('run', '-d', '--name', 'sunk', '--stop-timeout', '1', BUSYBOX, 'sleep', '1000');
  const { anchor } = await first.status();
  const namespace = await userNamespaceOf(anchor?.pid ?? 0);
  process.kill(anchor?.pid ?? 0, 'SIGKILL');
  // The engine outlives the anchor by as long as its containers take to stop.
  await eventually(
    async () => {
      assert.deepEqual(await tracesOf(home, namespace), NO_TRACES);
      return true;
    },
    { withinMs: 30_000 },
  );
  await using second = await startDaemon({ home });
  const format = '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}';
  const state = await second.ok('inspect', '-f', format, 'sunk');
  assert.match(state, /^exited (137|255)/);
  assert.equal(await second.ok('run', '--rm', BUSYBOX, 'echo', 'afloat'), 'afloat');
  await second.ok('start', 'sunk');
  await second.ok('rm', '-f', 'sunk');
});
