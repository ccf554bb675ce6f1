import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

// No control group is delegated to the account of these tests: what is emulated and what is told.

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const oneCpuIsNotAll = { skip: cpus().length < 2 ? 'needs two processors' : false };
/** Niceness of the shell that runs it. */
const NICENESS = "awk '{ print $19 }' /proc/self/stat";

test(
  'a set of processors holds for the container, its sessions, and after a change',
  oneCpuIsNotAll,
  async () => {
    const run = ['run', '-d', '--name', 'pinned', '--cpuset-cpus', '0'];
    const started = await daemon.docker(...run, BUSYBOX, 'sleep', '1000');
    assert.match(started.stderr, /WARNING: The CPU set is emulated by processor affinity/);
    assert.equal(await daemon.ok('exec', 'pinned', 'nproc'), '1');
    await daemon.ok('update', '--cpuset-cpus', '0-1', 'pinned');
    const allowed = "awk '/Cpus_allowed_list/ { print $2 }' /proc/1/status";
    assert.equal(await daemon.ok('exec', 'pinned', 'sh', '-c', allowed), '0-1');
    assert.equal(await daemon.ok('exec', 'pinned', 'nproc'), '2');
    await daemon.ok('rm', '-f', 'pinned');
    assert.equal(await daemon.ok('run', '--rm', '--cpuset-cpus', '1', BUSYBOX, 'nproc'), '1');
  },
);

test('fewer shares are niceness, for sessions too, and more are warned of', async () => {
  const run = ['run', '-d', '--name', 'nice', '--cpu-shares', '512'];
  const started = await daemon.docker(...run, BUSYBOX, 'sleep', '1000');
  assert.match(started.stderr, /WARNING: The CPU shares are emulated by a niceness of 3/);
  const init = NICENESS.replace('self', '1');
  assert.equal(await daemon.ok('exec', 'nice', 'sh', '-c', init), '3');
  // It is set a moment after the session has begun.
  const patient = `for i in $(seq 50); do [ "$(${NICENESS})" = 3 ] && break; sleep 0.1; done`;
  assert.equal(await daemon.ok('exec', 'nice', 'sh', '-c', `${patient}; ${NICENESS}`), '3');
  await daemon.ok('update', '--cpu-shares', '256', 'nice');
  assert.equal(await daemon.ok('exec', 'nice', 'sh', '-c', init), '6');
  const body = JSON.stringify({ CpuShares: 1024 });
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body };
  const answer = await requestOverSocket(daemon.socketPath, '/containers/nice/update', request);
  assert.match(answer.body, /The running container keeps its niceness until its next start/);
  await daemon.ok('rm', '-f', 'nice');
  const more = await daemon.docker('run', '--rm', '--cpu-shares', '2048', BUSYBOX, 'true');
  assert.match(more.stderr, /WARNING: The CPU shares are discarded/);
});

test('limits that take a control group are warned of one by one, and info agrees', async () => {
  const flags = ['--memory', '64m', '--cpus', '0.5', '--pids-limit', '10'];
  const run = await daemon.docker('run', '--name', 'free', ...flags, BUSYBOX, 'true');
  assert.equal(run.code, 0, run.stderr);
  for (const limit of ['memory limit', 'CPU quota', 'PIDs limit']) {
    assert.match(run.stderr, new RegExp(`WARNING: The ${limit} is discarded: `));
  }
  const swap = ['inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}', 'free'];
  assert.equal(await daemon.ok(...swap), `${64 << 20} ${128 << 20}`);
  await daemon.ok('rm', 'free');
  const info = (await daemon.get('/info')) as Readonly<Record<string, unknown>>;
  assert.equal(info['CgroupDriver'], 'none');
  for (const name of ['MemoryLimit', 'SwapLimit', 'CpuCfsQuota', 'CPUSet', 'PidsLimit']) {
    assert.equal(info[name], false, name);
  }
  const warnings = info['Warnings'] as readonly string[];
  assert.ok(warnings.includes('WARNING: No memory limit support'), warnings.join('\n'));
});

test('limits that contradict themselves or the machine are refused in Docker’s words', async () => {
  for (const [flags, message] of [
    [['--memory', '4m'], /Minimum memory limit allowed is 6MB/],
    [['--memory', '64m', '--memory-swap', '32m'], /Minimum memoryswap limit should be larger/],
    [['--cpus', '9999'], /Range of CPUs is from 0.01 to \d+.00, as there are only \d+ CPUs/],
    [['--cpuset-cpus', '8000'], /Requested CPUs are not available - requested 8000, available: 0/],
    [['--device-cgroup-rule', 'c 1'], /invalid device cgroup rule format: 'c 1'|invalid argument/],
    [['--blkio-weight', '5'], /Range of blkio weight is from 10 to 1000/],
  ] as const) {
    const { code, stderr } = await daemon.docker('create', ...flags, BUSYBOX, 'true');
    assert.notEqual(code, 0, flags.join(' '));
    assert.match(stderr, message);
  }
});
