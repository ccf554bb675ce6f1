import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { has, requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';

const SERVICES = ['api', 'db', 'migrate', 'proxy', 'worker'];
/** Containers that go on: `migrate` ends, and there are three workers. */
const RUNNING = 6;
const needed = requires('docker-clients', 'docker-registry');

const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const image = `${registry.host}/base:1`;

/** Compose of a Debian suite in a copy of the project. */
async function composeOf(suite: string) {
  const cwd = join(daemon.home.root, `project-${suite}`);
  await cp(join(import.meta.dirname, 'compose-project'), cwd, { recursive: true });
  const client = new DockerClient(daemon, suite);
  const env = { IMAGE: image, STAGE: 'one' };
  return {
    cwd,
    ok: (...args: readonly string[]) => client.ok({ cwd, env }, 'compose', ...args),
    run: (...args: readonly string[]) => client.run({ cwd, env }, 'compose', ...args),
    watch: (...args: readonly string[]) => client.watch({ cwd, env }, 'compose', ...args),
    staged: (STAGE: string, ...args: readonly string[]) =>
      client.ok({ cwd, env: { ...env, STAGE } }, 'compose', ...args),
  };
}

type Compose = Awaited<ReturnType<typeof composeOf>>;

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** Ids of the project's containers by name. */
async function idsByName(): Promise<Readonly<Record<string, string>>> {
  const label = 'label=com.docker.compose.project=harbour';
  const text = await daemon.ok('ps', '-a', '--filter', label, '--format', '{{.Names}} {{.ID}}');
  return Object.fromEntries(lines(text).map((line) => line.split(' ')));
}

const get = async (compose: Compose, path: string): Promise<string> => {
  const address = await compose.ok('port', 'proxy', '80');
  return eventually(async () => (await fetch(`http://${address}${path}`)).text());
};

if (has('docker-clients')) {
  await daemon.ok('tag', BUSYBOX, image);
  await daemon.ok('push', '-q', image);
}

for (const suite of ['trixie', 'sid']) {
  describe(`docker compose of ${suite}`, needed, async () => {
    const compose = await composeOf(suite);

    test('images are pulled, and services come up in the order of their conditions', async () => {
      await daemon.docker('rmi', image);
      await compose.ok('pull', '-q');
      await compose.ok('up', '-d');
      assert.deepEqual(lines(await compose.ok('ps', '-a', '--services')).toSorted(), SERVICES);
      const table = lines(await compose.ok('ps', '-a', '--format', 'json'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, string | number>>)
        .map((row) => `${row['Service']} ${row['State']} ${row['ExitCode']} ${row['Health']}`);
      assert.deepEqual(table.map((row) => row.trim()).toSorted(), [
        ...['api running 0', 'db running 0 healthy', 'migrate exited 0', 'proxy running 0'],
        ...['worker running 0', 'worker running 0', 'worker running 0'],
      ]);
    });

    test('the published port leads through an alias to volumes, secrets and configs', async () => {
      assert.equal(await get(compose, '/greeting'), 'ahoy\n');
      assert.equal(await get(compose, '/data/schema'), 'sesame');
      const script = 'echo $DB_NAME $(cat /run/secrets/db_password)';
      assert.equal(await compose.ok('exec', '-T', 'db', 'sh', '-c', script), 'cargo sesame');
      assert.match(await compose.ok('run', '--rm', '-T', 'probe'), /sesame$/);
    });

    test('logs of all replicas are followed until the client goes', async () => {
      await using follower = compose.watch('logs', '-f', '--no-color', '--no-log-prefix', 'worker');
      await follower.printed(/(?:ahoy[^a]+){6}/);
      const said = await compose.ok('logs', '--no-color', '--tail', '1', 'worker');
      for (const number of [1, 2, 3]) assert.match(said, new RegExp(`worker-${number} +\\| ahoy`));
    });

    test('processes and usage of the services are told', async () => {
      assert.match(await compose.ok('top', 'api'), /httpd -f -v -p 8000/);
      const stats = await compose.ok('stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}');
      assert.match(stats, /^harbour-api-1 [1-9]/m);
      assert.equal(lines(stats).length, 6);
    });

    test('files are copied in and out', async () => {
      await compose.ok('cp', 'greeting.txt', 'api:/tmp/copied');
      assert.equal(await compose.ok('exec', '-T', 'api', 'cat', '/tmp/copied'), 'ahoy');
      await compose.ok('cp', 'api:/www/greeting', join(compose.cwd, 'back.txt'));
    });

    test('events tell what becomes of services', async () => {
      await using events = compose.watch('events', '--json');
      // The stream is open as soon as the health check of the database shows up in it.
      await events.printed(/exec_start/);
      await compose.ok('restart', '-t', '1', 'proxy');
      await events.printed(/"action":"restart".*"service":"proxy"/);
    });

    test('a paused service stands still until it goes on', async () => {
      await compose.ok('pause', 'api');
      assert.equal(
        await compose.ok('ps', '-q', '--status', 'paused'),
        (await idsOf(compose, 'api'))[0],
      );
      await compose.ok('unpause', 'api');
      assert.equal(await get(compose, '/greeting'), 'ahoy\n');
    });

    test('a service is scaled down and up', async () => {
      await compose.ok('scale', 'worker=1');
      assert.equal((await idsOf(compose, 'worker')).length, 1);
      await compose.ok('up', '-d', '--scale', 'worker=2', '--no-recreate');
      assert.equal((await idsOf(compose, 'worker')).length, 2);
      await compose.ok('up', '-d');
      assert.equal((await idsOf(compose, 'worker')).length, 3);
    });

    test('another up makes anew only what was changed', async () => {
      const before = await idsByName();
      await compose.ok('up', '-d');
      assert.deepEqual(await idsByName(), before);
      await compose.staged('two', 'up', '-d');
      const now = await idsByName();
      const changed = Object.keys(now).filter((name) => now[name] !== before[name]);
      assert.deepEqual(changed, ['harbour-proxy-1']);
      assert.equal(await compose.ok('exec', '-T', 'proxy', 'sh', '-c', 'echo $STAGE'), 'two');
    });

    test('a watched file is brought into the service when it changes', async () => {
      await using watching = compose.watch('watch', '--no-up');
      await eventually(() => /watch enabled|watching/i.test(watching.stdout + watching.stderr));
      await writeFile(join(compose.cwd, 'src/page.txt'), `changed for ${suite}\n`);
      await eventually(async () => {
        const { stdout } = await compose.run('exec', '-T', 'api', 'cat', '/www/src/page.txt');
        return stdout === `changed for ${suite}\n`;
      });
    });

    test('an attached up ends with the exit code of the service it is about', async () => {
      const { code, stdout } = await compose.run('up', '--exit-code-from', 'job', 'job');
      assert.equal(code, 4);
      assert.match(stdout, /job-1 +\| unloaded/);
    });

    test('an attached up shows all services and stops them when it is interrupted', async () => {
      await compose.ok('stop', '-t', '1');
      await using attached = compose.watch('up', '--no-color');
      await attached.printed(/worker-2 +\| .*ahoy/, 30_000);
      // A service that compose starts after it was told to stop stays, and compose waits for it for ever.
      const running = ['ps', '-q', '--status', 'running'];
      await eventually(async () => lines(await compose.ok(...running)).length === RUNNING);
      attached.kill('SIGINT');
      await attached.ended;
      assert.equal(await compose.ok('ps', '-q', '--status', 'running'), '');
      assert.match(await compose.ok('ps', '-a', '--format', '{{.Service}}'), /^db$/m);
    });

    test('nothing is left after down', async () => {
      await compose.ok('--profile', 'tools', 'down', '-v', '-t', '1');
      assert.equal(await daemon.ok('ps', '-aq'), '');
      assert.equal(await daemon.ok('volume', 'ls', '-q'), '');
      const networks = await daemon.ok('network', 'ls', '--format', '{{.Name}}');
      assert.deepEqual(lines(networks).toSorted(), ['bridge', 'host', 'none']);
    });
  });
}

async function idsOf(compose: Compose, service: string): Promise<readonly string[]> {
  return lines(await compose.ok('ps', '-q', service));
}
