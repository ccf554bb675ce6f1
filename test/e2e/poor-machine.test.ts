import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parseResolvConf } from '../../src/host/read-host-facts.ts';
import { findProgram } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { hostAddress, speaker } from '../support/host/host-servers.ts';
import { BUSYBOX, filesImage } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { runCommand } from '../support/run-command.ts';
import { makeTestHome } from '../support/test-home.ts';

/** Shell commands that take programs away. */
const hide = (...names: readonly string[]) =>
  names.map((name) => `mount --bind /dev/null ${findProgram(name)}`).join('\n');

test('without a monitor a start fails with its name and package, and leaves nothing', async () => {
  await using daemon = await startDaemon({ surroundings: hide('conmon') });
  const { code, stderr } = await daemon.docker('run', '--rm', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /conmon not found: install package conmon/);
  await daemon.ok('container', 'prune', '-f');
  assert.equal(await daemon.ok('ps', '-aq'), '');
});

test('without runc the other runtime serves, and runc is refused by name', async () => {
  await using daemon = await startDaemon({ surroundings: hide('runc') });
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'echo', 'rowed'), 'rowed');
  const { code, stderr } = await daemon.docker('run', '--rm', '--runtime', 'runc', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /runc/);
});

test('without crun runc serves', async () => {
  await using daemon = await startDaemon({ surroundings: hide('crun') });
  assert.equal(await daemon.ok('info', '--format', '{{.DefaultRuntime}}'), 'runc');
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'echo', 'rowed'), 'rowed');
});

test('without a helper that leads out the daemon makes the connections of containers, and says so', async () => {
  await using daemon = await startDaemon({ surroundings: hide('slirp4netns', 'pasta') });
  const lack = /TCP.* name lookups only.*slirp4netns is not installed/;
  assert.match(await daemon.ok('info', '--format', '{{json .Warnings}}'), lack);
  const address = hostAddress('IPv4');
  using server = await speaker(address, 'ahoy');
  const listen = ['sh', '-c', `sleep 1 | nc -w 5 ${address} ${server.port}`];
  const { stdout, stderr } = await daemon.docker('run', '--rm', BUSYBOX, ...listen);
  assert.equal(stdout, 'ahoy');
  assert.match(stderr, lack);
  await daemon.ok('network', 'create', '--internal', 'cove');
  const shutIn = await daemon.docker('run', '--rm', '--network', 'cove', BUSYBOX, ...listen);
  assert.equal(shutIn.stdout, '');
  await daemon.ok('network', 'rm', 'cove');
});

test('without a helper that leads out names are asked of the servers of the host', async (context) => {
  const ask = (server: string) => runCommand(['busybox', 'nslookup', 'wherry.invalid', server]);
  const [resolver = ''] = parseResolvConf(await readFile('/etc/resolv.conf', 'utf8')).nameservers;
  if (!/NXDOMAIN/.test((await ask(resolver)).stdout)) return context.skip('no resolver here');
  await using daemon = await startDaemon({ surroundings: hide('slirp4netns', 'pasta') });
  const { stdout } = await daemon.docker('run', '--rm', BUSYBOX, 'nslookup', 'wherry.invalid');
  assert.match(stdout, /NXDOMAIN/);
});

test('without a packet filter containers have a way out, names and published ports', async () => {
  await using daemon = await startDaemon({ surroundings: hide('nft', 'pasta') });
  await daemon.ok('network', 'create', 'open');
  const serve = 'while true; do echo aboard | nc -l -p 80; done';
  const flags = ['--network', 'open', '--name', 'server', '-p', '127.0.0.1::80'];
  await daemon.ok('run', '-d', ...flags, BUSYBOX, 'sh', '-c', serve);
  const address = hostAddress('IPv4');
  using host = await speaker(address, 'ahoy');
  const call = (target: string) =>
    daemon.ok('run', '--rm', '--network', 'open', BUSYBOX, 'sh', '-c', `sleep 1 | nc ${target}`);
  assert.equal(await call(`${address} ${host.port}`), 'ahoy');
  assert.equal(await call('server 80'), 'aboard');
  const [, port] = (await daemon.ok('port', 'server', '80')).split(':');
  const answer = await runCommand(['busybox', 'nc', '-w', '5', '127.0.0.1', port ?? '']);
  assert.match(answer.stdout, /aboard/);
  assert.match(daemon.log(), /networks are open to each other: the packet filter cannot be set up/);
  const lack = /Networks are open to each other: .*nft/;
  assert.match(await daemon.ok('info', '--format', '{{json .Warnings}}'), lack);
  assert.match((await daemon.wherry('doctor')).stdout, lack);
  await daemon.ok('rm', '-f', 'server');
});

test('without the helpers for id maps one id is enough for root in the container', async () => {
  const surroundings = hide('newuidmap', 'newgidmap');
  await using daemon = await startDaemon({ surroundings, caller: 'ordinary' });
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'id', '-u'), '0');
  assert.match(
    await daemon.ok('info', '--format', '{{json .Warnings}}'),
    /single user id: newuidmap and newgidmap are not installed/,
  );
});

test('a full disk fails a pull with its cause, leaves nothing, and a retry succeeds', async () => {
  await using registry = await TestRegistry.start();
  await using home = await makeTestHome();
  const small = `mount -t tmpfs -o size=48m,mode=0700 disk ${home.dataDir}`;
  await using daemon = await startDaemon({ home, surroundings: small });
  const noise = Array.from({ length: 1 << 20 }, () => Math.random().toString(36).slice(2)).join('');
  const { reference } = await registry.push(await filesImage('fleet/heavy:1', { cargo: noise }));
  await daemon.ok('run', '-d', '--name', 'filler', BUSYBOX, 'sleep', '1000');
  const fill = await daemon.docker('exec', 'filler', 'dd', 'if=/dev/zero', 'of=/big', 'bs=1M');
  assert.match(fill.stderr, /No space left/);
  const { code, stderr } = await daemon.docker('pull', reference);
  assert.equal(code, 1);
  assert.match(stderr, /no space left on device/);
  assert.equal(await daemon.ok('images', '-q', reference), '');
  await daemon.ok('exec', 'filler', 'rm', '/big');
  await daemon.ok('pull', reference);
  await daemon.ok('rm', '-f', 'filler');
});
