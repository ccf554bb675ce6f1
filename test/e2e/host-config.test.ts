import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const sh = (flags: readonly string[], script: string) =>
  daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script);

test('settings without effect are answered with warnings, and the container runs', async () => {
  const flags = ['--ulimit', 'nofile=99999999:99999999', '--security-opt', 'label=type:x'];
  const run = await daemon.docker('run', '--rm', ...flags, BUSYBOX, 'echo', 'ran');
  assert.equal(run.code, 0, run.stderr);
  assert.equal(run.stdout, 'ran\n');
  assert.match(run.stderr, /WARNING: The ulimit nofile is lowered to \d+/);
  assert.match(run.stderr, /WARNING: AppArmor and SELinux options of SecurityOpt are discarded/);
});

test('settings that cannot be given are refused with the reason', async () => {
  for (const [flags, message] of [
    [['--log-driver', 'wat'], /no log driver named 'wat' is registered/],
    [['--log-opt', 'color=red'], /unknown log opt 'color' for json-file log driver/],
    [['--storage-opt', 'size=1g'], /--storage-opt is supported only for/],
    [['--mount', 'type=tmpfs,src=x,dst=/x'], /field Source must not be specified|tmpfs/],
  ] as const) {
    const { code, stderr } = await daemon.docker('create', ...flags, BUSYBOX, 'true');
    assert.equal(code, 1, flags.join(' '));
    assert.match(stderr, message);
  }
});

test('the log driver none lets clients attach and keeps nothing to read', async () => {
  const flags = ['--log-driver', 'none', '--name', 'silent'];
  assert.equal(await daemon.ok('run', ...flags, BUSYBOX, 'echo', 'heard'), 'heard');
  const { code, stderr } = await daemon.docker('logs', 'silent');
  assert.equal(code, 1);
  assert.match(stderr, /configured logging driver does not support reading/);
  await daemon.ok('rm', 'silent');
});

test('the log driver local is read as json-file is', async () => {
  await daemon.ok('run', '--name', 'near', '--log-driver', 'local', BUSYBOX, 'echo', 'line');
  assert.equal(await daemon.ok('logs', 'near'), 'line');
  const field = '{{.HostConfig.LogConfig.Type}}';
  assert.equal(await daemon.ok('inspect', '-f', field, 'near'), 'local');
  await daemon.ok('rm', 'near');
});

test('groups, shared memory, sysctls, score and devices are as asked for', async () => {
  const flags = ['--group-add', '1234', '--shm-size', '8m', '--sysctl', 'net.core.somaxconn=77'];
  const script = [
    'id -G',
    "df -k /dev/shm | awk 'END { print $2 }'",
    'cat /proc/sys/net/core/somaxconn',
    'cat /proc/self/oom_score_adj',
    'test -c /dev/other && echo device',
  ].join('; ');
  const more = ['--oom-score-adj', '900', '--device', '/dev/null:/dev/other'];
  const [groups = '', ...rest] = (await sh([...flags, ...more], script)).split('\n');
  assert.ok(groups.split(' ').includes('1234'), groups);
  assert.deepEqual(rest, ['8192', '77', '900', 'device']);
});

test('annotations and labels are seen by inspect', async () => {
  const flags = ['--annotation', 'org.example.a=b', '--name', 'noted'];
  await daemon.ok('create', ...flags, BUSYBOX, 'true');
  const field = '{{json .HostConfig.Annotations}}';
  assert.equal(await daemon.ok('inspect', '-f', field, 'noted'), '{"org.example.a":"b"}');
  await daemon.ok('rm', 'noted');
});
