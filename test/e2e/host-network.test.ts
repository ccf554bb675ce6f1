import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readlink } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const NAMESPACE = ['readlink', '/proc/self/ns/net'];
const ours = await readlink('/proc/self/ns/net');

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

for (const runtime of ['crun', 'runc']) {
  test(`with ${runtime}, the host network is that of the host`, async () => {
    const flags = ['--rm', '--runtime', runtime, '--network', 'host'];
    assert.equal(await daemon.ok('run', ...flags, BUSYBOX, ...NAMESPACE), ours);
  });
}

test('what listens in the host network is reached at the loopback of the host, also by other containers there', async () => {
  const port = await freePort();
  const serve = ['httpd', '-f', '-p', `127.0.0.1:${port}`];
  await daemon.ok('run', '-d', '--name', 'server', '--network', 'host', BUSYBOX, ...serve);
  const status = async () => (await fetch(`http://127.0.0.1:${port}/`)).status;
  await eventually(async () => (await status()) === 404);
  const shared = ['--rm', '--network', 'container:server'];
  assert.equal(await daemon.ok('run', ...shared, BUSYBOX, ...NAMESPACE), ours);
  await daemon.ok('rm', '-f', 'server');
  await assert.rejects(status());
});

test('sessions are in the host network, with and without a terminal, after an engine crash as before', async () => {
  await daemon.ok('run', '-d', '--name', 'long', '--network', 'host', BUSYBOX, 'sleep', '1000');
  assert.equal(await daemon.ok('exec', 'long', ...NAMESPACE), ours);
  await daemon.crashEngine();
  assert.equal((await daemon.ok('exec', '-t', 'long', ...NAMESPACE)).trim(), ours);
  const { code } = await daemon.docker('exec', 'long', 'sh', '-c', 'exit 7');
  assert.equal(code, 7);
  await daemon.ok('rm', '-f', 'long');
});

test('names are resolved by the servers of the host, and no other container is in its network', async () => {
  const resolvConf = ['cat', '/etc/resolv.conf'];
  const inside = await daemon.ok('run', '--rm', '--network', 'host', BUSYBOX, ...resolvConf);
  assert.doesNotMatch(inside, /^nameserver 10\.0\.2\.3$/m);
  assert.notEqual(await daemon.ok('run', '--rm', BUSYBOX, ...NAMESPACE), ours);
});

test('published ports are discarded with the warning of Docker, and settings of the network are refused', async () => {
  const { code, stderr } = await daemon.docker(
    ...['run', '--rm', '--network', 'host', '-p', '80:80', BUSYBOX, 'true'],
  );
  assert.equal(code, 0);
  assert.match(stderr, /Published ports are discarded when using host network mode/);
  const setting = ['--sysctl', 'net.ipv4.ip_forward=1'];
  const refused = await daemon.docker('run', '--rm', '--network', 'host', ...setting, BUSYBOX);
  assert.match(refused.stderr, /sysctl "net.ipv4.ip_forward" not allowed in host network/);
});
