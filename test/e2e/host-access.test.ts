import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { hostAddress, speaker } from '../support/host/host-servers.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** What a container hears from a server; empty when it is not let in. */
async function heard(
  from: string,
  flags: readonly string[] = [],
  by: TestDaemon = daemon,
): Promise<string> {
  const [host = '', port = ''] = from.split(' ');
  const listen = `sleep 1 | nc -w 5 ${host} ${port}`;
  return (await by.docker('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', listen)).stdout;
}

const ASKING = ['--add-host', 'host.docker.internal:host-gateway'];

test('a container that asks for the host reaches its loopback, on any network', async () => {
  using server = await speaker('127.0.0.1', 'ahoy');
  assert.equal(await heard(`host.docker.internal ${server.port}`, ASKING), 'ahoy');
  await daemon.ok('network', 'create', 'bay');
  const inBay = ['--network', 'bay', ...ASKING];
  assert.equal(await heard(`host.docker.internal ${server.port}`, inBay), 'ahoy');
  await daemon.ok('network', 'rm', 'bay');
});

test('what does not listen on the loopback is reached at the address of the host', async () => {
  using server = await speaker(hostAddress('IPv4'), 'hello');
  assert.equal(await heard(`host.docker.internal ${server.port}`, ASKING), 'hello');
  assert.equal(await heard(`host.docker.internal ${server.port}`), 'hello');
});

test('the loopback of the host is closed to everyone else, by every address', async () => {
  using server = await speaker('127.0.0.1', 'secret');
  const addresses = ['host.docker.internal', '10.0.2.4', '10.0.2.2', hostAddress('IPv4')];
  for (const address of addresses) assert.equal(await heard(`${address} ${server.port}`), '');
});

test('a container that asks keeps its way to the host when the engine was killed', async () => {
  using server = await speaker('127.0.0.1', 'ahoy');
  await daemon.ok('run', '-d', '--name', 'asker', ...ASKING, BUSYBOX, 'sleep', '1000');
  await daemon.crashEngine();
  const listen = `sleep 1 | nc -w 5 host.docker.internal ${server.port}`;
  assert.equal(await daemon.ok('exec', 'asker', 'sh', '-c', listen), 'ahoy');
  await daemon.ok('rm', '-f', 'asker');
});

test('the setting host-loopback opens the loopback of the host to all', async () => {
  await using open = await startDaemon({ flags: ['--host-loopback'] });
  using server = await speaker('127.0.0.1', 'ahoy');
  assert.equal(await heard(`host.docker.internal ${server.port}`, [], open), 'ahoy');
});
