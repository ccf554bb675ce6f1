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
const signal = (name: string) => writeFile(join(signals, name), '');

/** `docker inspect` of some fields. */
const inspect = (name: string, ...fields: readonly string[]) =>
  daemon.ok('inspect', '--format', fields.map((field) => `{{${field}}}`).join(' '), name);

async function background(name: string, flags: readonly string[], script: string): Promise<string> {
  const mount = ['-v', `${signals}:/s`];
  return daemon.ok('run', '-d', '--name', name, ...mount, ...flags, BUSYBOX, 'sh', '-c', script);
}

/** Waits until `docker ps` shows the container with this status. */
const shows = (name: string, status: RegExp) =>
  eventually(async () => {
    const text = await daemon.ok(
      'ps',
      '-a',
      '--filter',
      `name=^${name}$`,
      '--format',
      '{{.Status}}',
    );
    assert.match(text, status);
    return true;
  });

/** Waits until the client is refused in these words: the container runs for a moment now and then. */
const refused = (words: RegExp, ...args: readonly string[]) =>
  eventually(async () => words.test((await daemon.docker(...args)).stderr));

const restarts = (name: string, atLeast: number) =>
  eventually(async () => Number(await inspect(name, '.RestartCount')) >= atLeast);

test('on-failure restarts so often as it was told, and tells each life in events', async () => {
  const since = String(Math.floor(Date.now() / 1000));
  await background('limited', ['--restart', 'on-failure:2'], 'echo run; exit 3');
  await shows('limited', /^Exited \(3\)/);
  assert.equal(await inspect('limited', '.RestartCount', '.State.Restarting'), '2 false');
  assert.equal(await daemon.ok('logs', 'limited'), 'run\nrun\nrun');
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const window = ['--since', since, '--until', until, '--filter', 'container=limited'];
  const actions = await daemon.ok('events', ...window, '--format', '{{.Action}}');
  const life = actions.split('\n').filter((action) => /^(start|die)$/.test(action));
  assert.deepEqual(life, ['start', 'die', 'start', 'die', 'start', 'die']);
  await daemon.ok('rm', 'limited');
});

test('a container that ends well is restarted by always, not by on-failure', async () => {
  await background('well', ['--restart', 'on-failure'], 'exit 0');
  await background('anyway', ['--restart', 'always'], 'exit 0');
  await restarts('anyway', 2);
  await shows('well', /^Exited \(0\)/);
  assert.equal(await inspect('well', '.RestartCount'), '0');
  await daemon.ok('rm', '-f', 'well', 'anyway');
});

test('a container that waits for its restart is listed, started, stopped and removed', async () => {
  const failing = ['--restart', 'always'];
  await background('waits', failing, 'exit 5');
  await restarts('waits', 4);
  await shows('waits', /^Restarting \(5\) .* ago$/);
  assert.match(await daemon.ok('ps', '--filter', 'status=restarting', '-q'), /^[0-9a-f]{12}$/);
  await daemon.ok('start', 'waits');
  await refused(/is restarting, wait until the container is running/, 'exec', 'waits', 'true');
  await refused(/container is restarting/, 'rm', 'waits');
  await daemon.ok('stop', 'waits');
  assert.equal(await inspect('waits', '.State.Status', '.State.Running'), 'exited false');
  await daemon.ok('start', 'waits');
  await restarts('waits', 1);
  await daemon.ok('rm', '-f', 'waits');
  assert.equal(await daemon.ok('ps', '-aq', '--filter', 'name=waits'), '');
});

test('a container that was stopped or killed by hand stays stopped', async () => {
  for (const how of ['stop', 'kill']) {
    await background('hand', ['--restart', 'always', '--stop-timeout', '0'], 'sleep 1000');
    await daemon.ok(how, 'hand');
    await shows('hand', /^Exited \(137\)/);
    assert.equal(await inspect('hand', '.RestartCount'), '0');
    await daemon.ok('rm', 'hand');
  }
});

test('a container that was stopped by hand stays stopped when the engine is replaced', async () => {
  await background('resting', ['--restart', 'always', '--stop-timeout', '0'], 'sleep 1000');
  await daemon.ok('stop', 'resting');
  await background('working', ['--restart', 'always'], 'sleep 1000');
  await daemon.crashEngine();
  assert.equal(await inspect('resting', '.State.Status'), 'exited');
  assert.equal(await inspect('working', '.State.Status'), 'running');
  await daemon.ok('rm', '-f', 'resting', 'working');
});

test('a stop tells of its signals, and the next run of when the last one ended', async () => {
  const since = String(Math.floor(Date.now() / 1000));
  await background('told', ['--stop-timeout', '1'], 'trap : TERM; while :; do sleep 0.1; done');
  await daemon.ok('stop', 'told');
  await daemon.ok('start', 'told');
  const finished = Date.parse(await inspect('told', '.State.FinishedAt'));
  assert.ok(finished >= Number(since) * 1000);
  await daemon.ok('rm', '-f', 'told');
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const format = '{{.Action}} {{.Actor.Attributes.signal}}';
  const filters = ['--filter', 'container=told', '--format', format];
  const told = await daemon.ok('events', '--since', since, '--until', until, ...filters);
  const actions = told.split('\n').map((line) => line.replace('<no value>', '').trim());
  assert.deepEqual(
    actions.filter((action) => /^(kill|die|stop|start|destroy)/.test(action)),
    ['start', 'kill 15', 'kill 9', 'die', 'stop', 'start', 'kill 9', 'die', 'destroy'],
  );
});

test('wait is answered by each end of a container that is restarted', async () => {
  const script = 'until [ -e /s/first ]; do sleep 0.02; done; exit 6';
  await background('waited', ['--restart', 'always'], script);
  await using wait = daemon.watch({}, 'wait', 'waited');
  await signal('first');
  assert.equal((await wait.ended).stdout.trim(), '6');
  await daemon.ok('rm', '-f', 'waited');
});

test('a restarting container goes on restarting when the engine is killed', async () => {
  await background('loop', ['--restart', 'always'], 'exit 7');
  await restarts('loop', 2);
  await daemon.crashEngine();
  const before = Number(await inspect('loop', '.RestartCount'));
  await restarts('loop', before + 1);
  await daemon.ok('rm', '-f', 'loop');
});

test('a container that ends without an engine is restarted by the next one', async () => {
  const script = 'until [ -e /s/alone ]; do sleep 0.02; done; exit 8';
  await background('alone', ['--restart', 'on-failure'], script);
  const crash = daemon.crashEngine();
  await signal('alone');
  await crash;
  await restarts('alone', 1);
  await daemon.ok('rm', '-f', 'alone');
});

test('with the daemon come back those that always run, and those not stopped by hand', async () => {
  await background('always', ['--restart', 'always', '-t'], 'sleep 1000');
  await background('kept', ['--restart', 'unless-stopped', '-t'], 'sleep 1000');
  await background('left', ['--restart', 'unless-stopped', '-t'], 'sleep 1000');
  await background('failed', ['--restart', 'on-failure', '-t'], 'sleep 1000');
  await daemon.ok('create', '--name', 'never', '--restart', 'always', BUSYBOX, 'true');
  await daemon.ok(
    ...['run', '-d', '--name', 'guest', '--restart', 'always'],
    ...['--network', 'container:always', BUSYBOX, 'sleep', '1000'],
  );
  await daemon.ok('stop', '-t', '0', 'left');
  await daemon.stop();
  await daemon.wherry('down');
  await daemon.start();
  for (const name of ['always', 'kept', 'guest']) await shows(name, /^Up /);
  await shows('left', /^Exited/);
  await shows('failed', /^Exited/);
  await shows('never', /^Created/);
  await daemon.ok('rm', '-f', 'always', 'kept', 'left', 'failed', 'never', 'guest');
});

const quick = ['--health-interval', '100ms', '--health-retries', '2'];

test('a health check makes a container healthy and unhealthy, with events and log', async () => {
  await using events = daemon.watch(
    {},
    ...['events', '--filter', 'container=checked', '--format', '{{.Action}}'],
  );
  const check = ['--health-cmd', 'echo seen; test -e /s/good && ! test -e /s/bad'];
  await background('checked', [...check, ...quick, '--health-start-period', '60s'], 'sleep 1000');
  await shows('checked', /^Up .* \(health: starting\)$/);
  assert.match(await daemon.ok('ps', '-q', '--filter', 'health=starting'), /./);
  await signal('good');
  await events.printed(/^health_status: healthy$/m);
  await shows('checked', /^Up .* \(healthy\)$/);
  await signal('bad');
  await events.printed(/^health_status: unhealthy$/m);
  await shows('checked', /^Up .* \(unhealthy\)$/);
  assert.match(events.stdout, /^exec_create: \/bin\/sh -c echo seen/m);
  assert.match(events.stdout, /^exec_start: .*\n(?:.*\n)*?exec_die$/m);
  assert.match(await inspect('checked', 'json .State.Health'), /"ExitCode":1,"Output":"seen\\n"/);
  await daemon.ok('rm', '-f', 'checked');
});

test('a probe that takes too long is killed and counts as a failure', async () => {
  const check = ['--health-cmd', 'echo slow; exec sleep 1234', '--health-timeout', '200ms'];
  await background('slow', [...check, ...quick], 'sleep 1000');
  await shows('slow', /\(unhealthy\)$/);
  const log = await inspect('slow', 'json .State.Health.Log');
  assert.match(log, /"ExitCode":-1,"Output":"Health check exceeded timeout \(200ms\): slow\\n"/);
  await eventually(async () => {
    const probes = (await daemon.ok('exec', 'slow', 'ps')).match(/sleep 1234$/gm) ?? [];
    return probes.length <= 1;
  });
  await daemon.ok('rm', '-f', 'slow');
});

test('a health check goes on when the engine is killed', async () => {
  const check = ['--health-cmd', 'test ! -e /s/ill'];
  await background('lives', [...check, ...quick], 'sleep 1000');
  await shows('lives', /\(healthy\)$/);
  await daemon.crashEngine();
  assert.equal(await inspect('lives', '.State.Health.Status'), 'healthy');
  await signal('ill');
  await shows('lives', /\(unhealthy\)$/);
  await daemon.ok('rm', '-f', 'lives');
});

test('a container without a check has no health, and a wrong check is refused', async () => {
  await background('none', ['--no-healthcheck'], 'sleep 1000');
  assert.equal(await inspect('none', 'json .State.Health'), 'null');
  assert.match(await daemon.ok('ps', '-q', '--filter', 'health=none'), /./);
  await daemon.ok('rm', '-f', 'none');
  const wrong = await daemon.docker('create', '--health-interval', '1us', BUSYBOX);
  assert.match(wrong.stderr, /Interval in Healthcheck cannot be less than 1ms/);
});
