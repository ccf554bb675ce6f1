import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { getOverSocket, requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** As much of Docker's `StatsResponse` as the tests look at. */
interface Stats {
  readonly name: string;
  readonly read: string;
  readonly preread: string;
  readonly pids_stats: { readonly current?: number };
  readonly cpu_stats: Cpu;
  readonly precpu_stats: Cpu;
  readonly memory_stats: { readonly usage?: number; readonly limit?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; tx_bytes: number }>>;
  readonly blkio_stats: { readonly io_service_bytes_recursive: readonly object[] | null };
}

interface Cpu {
  readonly cpu_usage: { readonly total_usage: number };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

const NEVER = '0001-01-01T00:00:00Z';

const run = (name: string, ...command: readonly string[]) =>
  daemon.ok('run', '-d', '--name', name, BUSYBOX, ...command);

const stats = async (name: string, query: string) =>
  (await daemon.get(`/containers/${name}/stats?${query}`)) as Stats;

test('top shows the processes of a container, exec sessions too, and no others', async () => {
  await run('busy', 'sh', '-c', 'sleep 1111 & exec sleep 2222');
  await run('other', 'sleep', '3333');
  await daemon.ok('exec', '-d', 'busy', 'sleep', '4444');
  const lines = (await daemon.ok('top', 'busy')).split('\n');
  assert.match(lines[0] ?? '', /^UID +PID +PPID +C +STIME +TTY +TIME +CMD$/);
  assert.deepEqual(
    lines
      .slice(1)
      .map((line) => /sleep \d+$/.exec(line)?.[0])
      .toSorted(),
    ['sleep 1111', 'sleep 2222', 'sleep 4444'],
  );
  assert.ok(lines.slice(1).every((line) => line.startsWith('root ')));
  await daemon.ok('rm', '-f', 'busy', 'other');
});

test('top passes options on to ps and tells what ps refuses', async () => {
  await daemon.ok('run', '-d', '--name', 'who', '-u', '1234', BUSYBOX, 'sleep', '1000');
  assert.match(await daemon.ok('top', 'who', '-o', 'pid,uid,args'), /^\d+ +1234 +sleep 1000$/m);
  assert.match(await daemon.ok('top', 'who', 'axf'), /sleep 1000/);
  const nameless = await daemon.docker('top', 'who', '-o', 'args');
  assert.match(nameless.stderr, /Couldn't find PID field in ps output/);
  const nonsense = await daemon.docker('top', 'who', '--nonsense');
  assert.match(nonsense.stderr, /ps: /);
  const disguised = await daemon.docker('top', 'who', '-o', 'pid,uid', '-o', 'user=PID');
  assert.match(disguised.stderr, /specifying "user=PID" is not allowed/);
  await daemon.ok('rm', '-f', 'who');
});

test('top of a container that does not run is a conflict', async () => {
  await daemon.ok('create', '--name', 'idle', BUSYBOX, 'true');
  const { code, stderr } = await daemon.docker('top', 'idle');
  assert.equal(code, 1);
  assert.match(stderr, /container [0-9a-f]{64} is not running/);
  assert.equal((await getOverSocket(daemon.socketPath, '/containers/idle/top')).status, 409);
  await daemon.ok('rm', 'idle');
});

test('stats without a stream carry two samples of a working container', async () => {
  await run('work', 'sh', '-c', 'while :; do :; done');
  const sample = await stats('work', 'stream=0');
  assert.equal(sample.name, '/work');
  const { cpu_stats: cpu, precpu_stats: before } = sample;
  assert.ok(sample.read > sample.preread && sample.preread > NEVER);
  const used = cpu.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (cpu.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  assert.ok(used > 0 && used <= passed * 1.1, `${used} ns used of ${passed} ns`);
  assert.ok((cpu.online_cpus ?? 0) >= 1);
  assert.ok((sample.pids_stats.current ?? 0) >= 1);
  const { usage = 0, limit = 0 } = sample.memory_stats;
  assert.ok(usage > 0 && usage < limit, `${usage} of ${limit} bytes`);
  assert.ok(sample.networks?.['eth0'] !== undefined);
  assert.equal(sample.networks['lo'], undefined);
  assert.ok(Array.isArray(sample.blkio_stats.io_service_bytes_recursive));

  const line = '{{.Name}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}';
  assert.match(
    await daemon.ok('stats', '--no-stream', '--format', line, 'work'),
    /^work [1-9]\d*\.\d+% [1-9][\d.]*\w+ \/ [\d.]+\w+ [\d.]+k?B \/ [\d.]+k?B \S+ \/ \S+ \d+$/,
  );
  await daemon.ok('rm', '-f', 'work');
});

test('one shot answers with a single sample', async () => {
  await run('once', 'sleep', '1000');
  const sample = await stats('once', 'stream=0&one-shot=1');
  assert.equal(sample.preread, NEVER);
  assert.ok(sample.read > NEVER);
  assert.equal(sample.precpu_stats.cpu_usage.total_usage, 0);
  const both = await getOverSocket(daemon.socketPath, '/containers/once/stats?one-shot=1');
  assert.equal(both.status, 400);
  assert.match(both.body, /cannot have stream=true and one-shot=true/);
  await daemon.ok('rm', '-f', 'once');
});

test('traffic of a container is counted', async () => {
  await run('talker', 'sleep', '1000');
  const sentBytes = async () =>
    (await stats('talker', 'stream=0&one-shot=1')).networks?.['eth0']?.tx_bytes ?? 0;
  const before = await sentBytes();
  const gateway = '{{.NetworkSettings.Networks.bridge.Gateway}}';
  const address = await daemon.ok('inspect', '-f', gateway, 'talker');
  await daemon.ok('exec', 'talker', 'ping', '-c', '1', '-s', '1400', address);
  const sent = (await sentBytes()) - before;
  assert.ok(sent >= 1400, `${sent} bytes`);
  await daemon.ok('rm', '-f', 'talker');
});

test('a container on the host network, or that does not run, has no numbers of its own', async () => {
  await daemon.ok('run', '-d', '--name', 'open', '--network', 'host', BUSYBOX, 'sleep', '1000');
  assert.equal((await stats('open', 'stream=0&one-shot=1')).networks, undefined);
  await daemon.ok('create', '--name', 'still', BUSYBOX, 'true');
  const sample = await stats('still', 'stream=0');
  assert.deepEqual([sample.name, sample.read, sample.memory_stats], ['/still', NEVER, {}]);
  assert.match(
    await daemon.ok('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'still'),
    /0.00%|--/,
  );
  await daemon.ok('rm', '-f', 'open', 'still');
});

test('a stream of stats goes on with another sample and ends with the container', async () => {
  await run('flow', 'sleep', '1000');
  await using table = daemon.watch({}, 'stats', '--format', '{{.Name}} {{.PIDs}}', 'flow');
  await table.printed(/flow 1[\s\S]*flow 1/);
  await table[Symbol.asyncDispose]();
  const stream = getOverSocket(daemon.socketPath, '/containers/flow/stats');
  await stats('flow', 'stream=0');
  await daemon.ok('rm', '-f', 'flow');
  const samples = (await stream).body
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Stats);
  assert.equal(samples[0]?.preread, NEVER);
  assert.equal(samples[1]?.preread, samples[0]?.read);
});

test('update stores limits and the restart policy, and warns of limits without effect', async () => {
  await run('tuned', 'sleep', '1000');
  assert.equal(await daemon.ok('update', '--restart', 'on-failure:3', 'tuned'), 'tuned');
  const policy =
    '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}';
  assert.equal(await daemon.ok('inspect', '-f', policy, 'tuned'), 'on-failure 3');
  const limits = [
    '--cpu-shares',
    '512',
    '--memory',
    '64m',
    '--memory-swap',
    '-1',
    '--pids-limit',
    '9',
  ];
  await daemon.ok('update', ...limits, 'tuned');
  const stored = '{{.HostConfig.CpuShares}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}';
  assert.equal(await daemon.ok('inspect', '-f', stored, 'tuned'), '512 67108864 9');
  assert.equal(await daemon.ok('inspect', '-f', policy, 'tuned'), 'on-failure 3');
  await daemon.ok('rm', '-f', 'tuned');
});

test('a restart policy that was changed counts from the next end on', async () => {
  await run('revived', 'sh', '-c', 'trap "exit 3" USR1; echo ready; while :; do sleep 0.05; done');
  // Before its trap is set, the first process of a container does not hear the signal at all.
  const isReady = (starts: number) =>
    eventually(async () => (await daemon.ok('logs', 'revived')).split('ready').length > starts);
  await isReady(1);
  await daemon.ok('update', '--restart', 'always', 'revived');
  await daemon.ok('exec', 'revived', 'kill', '-USR1', '1');
  const state = ['inspect', '-f', '{{.RestartCount}} {{.State.Running}}', 'revived'];
  await eventually(async () => (await daemon.ok(...state)) === '1 true');
  await isReady(2);
  await daemon.ok('update', '--restart', 'no', 'revived');
  await daemon.ok('kill', '-s', 'USR1', 'revived');
  assert.equal(await daemon.ok('wait', 'revived'), '3');
  assert.equal(await daemon.ok(...state), '1 false');
  await daemon.ok('rm', 'revived');
});

test('update refuses what contradicts the container, with Docker’s reasons', async () => {
  await daemon.ok('create', '--name', 'fixed', '--cpus', '1', BUSYBOX, 'true');
  const quota = await daemon.docker('update', '--cpu-quota', '50000', 'fixed');
  assert.match(quota.stderr, /Conflicting options: CPU Quota cannot be updated as NanoCPUs has/);
  const memory = await daemon.docker('update', '--memory', '64m', 'fixed');
  assert.match(
    memory.stderr,
    /Cannot update container [0-9a-f]{64}: Memory limit should be smaller/,
  );
  const send = (body: object) =>
    requestOverSocket(daemon.socketPath, '/containers/fixed/update', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  assert.equal((await send({ RestartPolicy: { Name: 'sometimes' } })).status, 400);
  assert.match(
    (await send({ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1 }] })).body,
    /The update of Ulimits is discarded/,
  );
  await daemon.ok('create', '--rm', '--name', 'passing', BUSYBOX, 'true');
  const restart = await daemon.docker('update', '--restart', 'always', 'passing');
  assert.match(restart.stderr, /Restart policy cannot be updated because AutoRemove is enabled/);
  await daemon.ok('rm', 'fixed', 'passing');
});

test('sizes are told when they are asked for', async () => {
  await run('sized', 'sh', '-c', 'head -c 200000 /dev/zero >/file; sleep 1000');
  await daemon.ok('exec', 'sized', 'sh', '-c', 'until [ "$(wc -c </file)" = 200000 ]; do :; done');
  assert.match(
    await daemon.ok('ps', '-s', '--filter', 'name=sized', '--format', '{{.Size}}'),
    /^20\dkB \(virtual [\d.]+MB\)$/,
  );
  const { SizeRw: sizeRw, SizeRootFs: sizeRootFs } = (await daemon.get(
    '/containers/sized/json?size=1',
  )) as { SizeRw: number; SizeRootFs: number };
  assert.ok(sizeRw >= 200_000 && sizeRootFs > sizeRw, `${sizeRw} and ${sizeRootFs} bytes`);
  const without = (await daemon.get('/containers/sized/json')) as object;
  assert.ok(!('SizeRw' in without));
  await daemon.ok('rm', '-f', 'sized');
});
