import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const SLEEP = [BUSYBOX, 'sleep', '1000'];
const background = (name: string, ...flags: readonly string[]) =>
  daemon.ok('run', '-d', '--name', name, ...flags, ...SLEEP);
const address = (name: string) =>
  daemon.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', name);
const hosts = (name: string) => daemon.ok('exec', name, 'cat', '/etc/hosts');

test('a linked container is known by its alias, in variables, /etc/hosts and the names of ps', async () => {
  await background('db', '-h', 'store', '--expose', '5432', '--expose', '53/udp', '-e', 'USER=me');
  const script = 'env; sleep 1000';
  await daemon.ok(
    ...['run', '-d', '--name', 'web', '--link', 'db:my-db', BUSYBOX, 'sh', '-c', script],
  );
  const ip = await address('db');
  const text = await eventually(async () => {
    const logs = await daemon.ok('logs', 'web');
    assert.match(logs, /^MY_DB_NAME=/m);
    return logs;
  });
  for (const line of [
    `MY_DB_PORT=udp://${ip}:53`,
    `MY_DB_PORT_5432_TCP=tcp://${ip}:5432`,
    `MY_DB_PORT_5432_TCP_ADDR=${ip}`,
    'MY_DB_PORT_5432_TCP_PORT=5432',
    'MY_DB_PORT_5432_TCP_PROTO=tcp',
    'MY_DB_NAME=/web/my-db',
    'MY_DB_ENV_USER=me',
  ]) {
    assert.ok(text.split('\n').includes(line), `${line} is missing in\n${text}`);
  }
  assert.equal(await daemon.ok('exec', 'web', 'sh', '-c', 'echo $MY_DB_NAME'), '/web/my-db');
  assert.ok((await hosts('web')).includes(`${ip}\tmy-db store db\n`));
  const links = await daemon.ok('inspect', '-f', '{{json .HostConfig.Links}}', 'web');
  assert.equal(links, '["/db:/web/my-db"]');
  assert.match(await daemon.ok('ps', '--no-trunc', '--format', '{{.Names}}'), /^db,web\/my-db$/m);
  assert.equal(await daemon.ok('inspect', '-f', '{{.Name}}', 'web/my-db'), '/db');
});

test('the address of a linked container is up to date after it got another one', async () => {
  const before = await address('db');
  await daemon.ok('stop', '-t', '0', 'db');
  await background('squatter');
  assert.equal(await address('squatter'), before);
  await daemon.ok('start', 'db');
  assert.ok((await hosts('web')).includes(`${await address('db')}\tmy-db store db\n`));
  await daemon.ok('rm', '-f', 'squatter');
});

test('a link is needed at start, and goes by itself', async () => {
  await daemon.ok('stop', '-t', '0', 'web', 'db');
  const { code, stderr } = await daemon.docker('start', 'web');
  assert.equal(code, 1);
  assert.match(stderr, /Cannot link to a non running container: \/db AS \/web\/my-db/);
  await daemon.ok('rm', '--link', 'web/my-db');
  await daemon.ok('start', 'web');
  assert.equal((await hosts('web')).includes('my-db'), false);
  assert.equal(await daemon.ok('inspect', '-f', '{{json .HostConfig.Links}}', 'web'), 'null');
  await daemon.ok('rm', '-f', 'web', 'db');
});

test('what cannot be linked is refused', async () => {
  await background('on-host', '--network', 'host');
  for (const [flags, message] of [
    [['--link', 'nobody:x'], /could not get container for nobody: No such container: nobody/],
    [['--link', 'on-host:x'], /host type networking can't be used with links/],
    [['--network', 'host', '--link', 'on-host:x'], /can't be used with links/],
  ] as const) {
    const { code, stderr } = await daemon.docker('create', ...flags, BUSYBOX, 'true');
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
  await daemon.ok('rm', '-f', 'on-host');
});

test('on a network of one’s own a link is an alias for the linking container alone', async () => {
  await daemon.ok('network', 'create', 'net');
  await background('db', '--network', 'net');
  const flags = ['--rm', '--network', 'net'];
  const found = await daemon.ok(
    'run',
    ...flags,
    '--link',
    'db:store',
    BUSYBOX,
    'nslookup',
    'store',
  );
  const ip = await daemon.ok('inspect', '-f', '{{.NetworkSettings.Networks.net.IPAddress}}', 'db');
  assert.ok(found.includes(ip), found);
  const other = await daemon.docker('run', ...flags, BUSYBOX, 'nslookup', 'store');
  assert.notEqual(other.code, 0);
  await daemon.ok('rm', '-f', 'db');
  await daemon.ok('network', 'rm', 'net');
});
