import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { GenericContainer, Network, Wait } from 'testcontainers';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { readyForTestcontainers } from '../support/testcontainers.ts';

// The library reads its environment when it first looks for an engine.
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
before(async () => {
  Object.assign(process.env, await readyForTestcontainers(daemon));
});

const HTTPD = [
  'sh',
  '-c',
  'mkdir -p /www; echo hello >/www/index.html; echo ready; exec httpd -f -v -p 8080 -h /www',
];

/** A web server on port 8080. */
const webServer = () => new GenericContainer(BUSYBOX).withCommand(HTTPD).withExposedPorts(8080);

const idle = () => new GenericContainer(BUSYBOX).withCommand(['sleep', '1000']);

const inspect = (id: string, field: string) => daemon.ok('inspect', '-f', `{{${field}}}`, id);

test('an exposed port is found at the mapped one by default', async () => {
  await using container = await webServer().start();
  const url = `http://${container.getHost()}:${container.getMappedPort(8080)}/`;
  assert.equal(await (await fetch(url)).text(), 'hello\n');
});

for (const [name, strategy] of [
  ['listening ports', Wait.forListeningPorts()],
  ['a log message', Wait.forLogMessage('ready')],
  ['a log message by pattern', Wait.forLogMessage(/re[a]dy/, 1)],
  [
    'an HTTP answer',
    Wait.forHttp('/', 8080)
      .forStatusCode(200)
      .forResponsePredicate((body) => body === 'hello\n'),
  ],
  ['a command that succeeds', Wait.forSuccessfulCommand('test -e /www/index.html')],
  ['all of several', Wait.forAll([Wait.forListeningPorts(), Wait.forLogMessage('ready')])],
] as const) {
  test(`start waits for ${name}`, async () => {
    await using container = await webServer().withWaitStrategy(strategy).start();
    assert.equal((await container.exec(['cat', '/www/index.html'])).output, 'hello\n');
  });
}

test('start waits for the health check', async () => {
  await using container = await idle()
    .withHealthCheck({
      test: ['CMD-SHELL', 'test -d /tmp'],
      interval: 1000,
      timeout: 3000,
      retries: 5,
      startPeriod: 1000,
    })
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  assert.equal(await inspect(container.getId(), '.State.Health.Status'), 'healthy');
});

test('start waits for the end of a container that runs once', async () => {
  await using container = await new GenericContainer(BUSYBOX)
    .withCommand(['sh', '-c', 'echo once'])
    .withWaitStrategy(Wait.forOneShotStartup())
    .start();
  assert.equal(await inspect(container.getId(), '.State.ExitCode'), '0');
});

test('a container that does not get ready in time is an error, and is removed', async () => {
  const never = idle()
    .withName('never')
    .withWaitStrategy(Wait.forLogMessage('never'))
    .withStartupTimeout(500);
  await assert.rejects(never.start(), /never/);
  assert.equal(await daemon.ok('ps', '-aq', '--filter', 'name=never'), '');
});

test('name, labels, environment, directory, user, host name and hosts are as they were set', async () => {
  await using container = await idle()
    .withName('as-set')
    .withLabels({ owner: 'us' })
    .withEnvironment({ GREETING: 'hi' })
    .withWorkingDir('/var')
    .withUser('nobody')
    .withHostname('berth')
    .withExtraHosts([{ host: 'lighthouse', ipAddress: '10.1.2.3' }])
    .start();
  assert.equal(container.getName(), '/as-set');
  assert.equal(container.getLabels()['owner'], 'us');
  const { output } = await container.exec([
    'sh',
    '-c',
    'echo $GREETING $PWD $(id -un) $(hostname); cat /etc/hosts',
  ]);
  assert.match(output, /^hi \/var nobody berth$/m);
  assert.match(output, /^10\.1\.2\.3\s+lighthouse$/m);
});

test('bind mounts are read and written', async () => {
  const source = await mkdtemp(join(daemon.home.root, 'bind-'));
  await writeFile(join(source, 'in'), 'from outside');
  await using container = await idle()
    .withBindMounts([
      { source, target: '/shared', mode: 'rw' },
      { source, target: '/fixed', mode: 'ro' },
    ])
    .start();
  assert.equal((await container.exec('cat /shared/in')).output, 'from outside');
  await container.exec(['sh', '-c', 'echo from inside >/shared/out']);
  assert.equal(await readFile(join(source, 'out'), 'utf8'), 'from inside\n');
  assert.notEqual((await container.exec(['touch', '/fixed/no'])).exitCode, 0);
});

test('files, directories and contents are copied in before and after the start, and out', async () => {
  const source = await mkdtemp(join(daemon.home.root, 'copy-'));
  await writeFile(join(source, 'file'), 'a file');
  await using container = await idle()
    .withCopyFilesToContainer([
      { source: join(source, 'file'), target: '/etc/copied', mode: 0o640 },
    ])
    .withCopyDirectoriesToContainer([{ source, target: '/srv/copied' }])
    .withCopyContentToContainer([{ content: 'a text', target: '/srv/text' }])
    .start();
  await container.copyContentToContainer([{ content: 'later', target: '/srv/later' }]);
  const script = 'cat /etc/copied /srv/copied/file /srv/text /srv/later; stat -c " %a" /etc/copied';
  assert.equal(
    (await container.exec(['sh', '-c', script])).output,
    'a filea filea textlater 640\n',
  );
  const archive = await text(await container.copyArchiveFromContainer('/srv/text'));
  assert.match(archive, /a text/);
});

test('exec tells output, streams and exit code', async () => {
  await using container = await idle().start();
  const result = await container.exec(['sh', '-c', 'echo out; echo $X >&2; pwd; exit 3'], {
    env: { X: 'err' },
    workingDir: '/var',
    user: 'nobody',
  });
  assert.deepEqual([result.exitCode, result.stdout, result.stderr], [3, 'out\n/var\n', 'err\n']);
});

test('logs are streamed, to a consumer from the start and later', async () => {
  const seen: string[] = [];
  await using container = await new GenericContainer(BUSYBOX)
    .withCommand(['sh', '-c', 'echo first; echo second >&2; exec sleep 1000'])
    .withLogConsumer((stream) => stream.on('data', (line: Buffer) => seen.push(line.toString())))
    .withWaitStrategy(Wait.forLogMessage('second'))
    .start();
  await eventually(() => /first\s+second/.test(seen.join('')));
  const later: string[] = [];
  const again = await container.logs();
  again.on('data', (line: Buffer) => later.push(line.toString()));
  await eventually(() => later.join('').includes('second'));
  again.destroy();
});

test('containers of a network reach each other by alias', async () => {
  const network = await new Network().start();
  const server = await webServer().withNetwork(network).withNetworkAliases('web', 'site').start();
  const client = await idle().withNetwork(network).start();
  for (const name of ['web', 'site']) {
    const { output } = await client.exec(['wget', '-qO-', `http://${name}:8080/`]);
    assert.equal(output, 'hello\n');
  }
  assert.match(server.getIpAddress(network.getName()), /^172\.|^10\.|^192\./);
  assert.deepEqual(client.getNetworkNames(), [network.getName()]);
  await Promise.all([server.stop(), client.stop()]);
  await network.stop();
});

test('a container that may be reused is found again', async () => {
  const make = () => idle().withEnvironment({ KIND: 'reused' }).withReuse().start();
  const first = await make();
  const second = await make();
  assert.equal(second.getId(), first.getId());
  await first.stop();
});

test('a restarted container is the same with a new process', async () => {
  await using container = await webServer().start();
  const pid = await inspect(container.getId(), '.State.Pid');
  await container.restart();
  assert.notEqual(await inspect(container.getId(), '.State.Pid'), pid);
  const url = `http://${container.getHost()}:${container.getMappedPort(8080)}/`;
  assert.equal(await (await fetch(url)).text(), 'hello\n');
});

test('a stopped container is removed, or kept when that is asked for', async () => {
  const gone = await idle().start();
  await gone.stop({ timeout: 0 });
  assert.equal(await daemon.ok('ps', '-aq', '--filter', `id=${gone.getId()}`), '');
  const kept = await idle().withAutoRemove(false).start();
  const stopped = await kept.stop({ remove: false, timeout: 0 });
  assert.equal(await inspect(stopped.getId(), '.State.Status'), 'exited');
  await daemon.ok('rm', stopped.getId());
});

test('tmpfs, ulimits, capabilities, shared memory and privilege are as they were set', async () => {
  await using container = await idle()
    .withTmpFs({ '/scratch': 'rw,noexec,size=1m' })
    .withUlimits({ nofile: { hard: 512, soft: 256 } })
    .withDroppedCapabilities('CHOWN')
    .withSharedMemorySize(2 * 1024 * 1024)
    .start();
  const script = 'mount; ulimit -Sn; ulimit -Hn; chown 1 /tmp || echo denied';
  const { output } = await container.exec(['sh', '-c', script]);
  assert.match(output, /tmpfs on \/scratch type tmpfs \(.*noexec.*size=1024k/);
  assert.match(output, /on \/dev\/shm type tmpfs \(.*size=2048k/);
  assert.match(output, /^256\n512$/m);
  assert.match(output, /^denied$/m);
  await using privileged = await idle().withPrivilegedMode().start();
  assert.equal((await privileged.exec(['mount', '-t', 'tmpfs', 'none', '/var/tmp'])).exitCode, 0);
});

test('a container is committed to an image that others start from', async () => {
  await using container = await idle().start();
  await container.exec(['touch', '/was-here']);
  const image = await container.commit({ repo: 'committed', tag: 'once' });
  assert.match(image, /^[a-z0-9:]+$/);
  await using next = await new GenericContainer('committed:once')
    .withCommand(['sleep', '1000'])
    .start();
  assert.equal((await next.exec(['ls', '/was-here'])).exitCode, 0);
});

test('an image is built for a container, with arguments', async () => {
  const dir = await mkdtemp(join(daemon.home.root, 'build-'));
  await writeFile(join(dir, 'Dockerfile'), `FROM ${BUSYBOX}\nARG A\nCOPY f /f\nRUN echo $A >>/f`);
  await writeFile(join(dir, 'f'), 'file\n');
  const image = await GenericContainer.fromDockerfile(dir).withBuildArgs({ A: 'arg' }).build();
  await using container = await image.withCommand(['sleep', '1000']).start();
  assert.equal((await container.exec(['cat', '/f'])).output, 'file\narg\n');
});
