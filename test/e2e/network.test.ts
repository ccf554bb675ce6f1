import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** A container whose web server answers `text` on port 80. */
async function webServer(name: string, text: string, ...flags: readonly string[]): Promise<void> {
  const script = `mkdir /www && echo ${text} >/www/index.html && exec httpd -f -p 80 -h /www`;
  await daemon.ok('run', '-d', '--name', name, ...flags, BUSYBOX, 'sh', '-c', script);
}

/** The body of the page, once the server in the container is up. */
const page = (url: string) => eventually(async () => (await fetch(url)).text());

test('a published port answers on the host from the moment start returns', async () => {
  await webServer('public', 'ahoy', '-p', '127.0.0.1::80');
  const address = await daemon.ok('port', 'public', '80');
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  assert.equal(await page(`http://${address}/`), 'ahoy\n');
  await daemon.ok('rm', '-f', 'public');
  await assert.rejects(fetch(`http://${address}/`));
});

test('a port without an address is bound for IPv4 and IPv6', async () => {
  await webServer('both', 'hello', '-p', '80');
  const lines = (await daemon.ok('port', 'both', '80')).split('\n');
  const port = /^0\.0\.0\.0:(\d+)$/m.exec(lines.join('\n'))?.[1];
  assert.deepEqual(lines, [`0.0.0.0:${port}`, `[::]:${port}`]);
  assert.equal(await page(`http://127.0.0.1:${port}/`), 'hello\n');
  assert.equal(await page(`http://[::1]:${port}/`), 'hello\n');
  await daemon.ok('rm', '-f', 'both');
});

test('containers that share a range of host ports get one each', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const first = (taken.address() as AddressInfo).port;
  const flags = ['-p', `127.0.0.1:${first}-${first + 20}:80`];
  await webServer('one', 'first', ...flags);
  await webServer('two', 'second', ...flags);
  const [one, two] = [await daemon.ok('port', 'one', '80'), await daemon.ok('port', 'two', '80')];
  assert.notEqual(one, two);
  assert.equal(await page(`http://${one}/`), 'first\n');
  assert.equal(await page(`http://${two}/`), 'second\n');
  taken.close();
  await daemon.ok('rm', '-f', 'one', 'two');
});

test('a port that is taken is named, and the container starts once it is free', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const flags = ['-d', '--name', 'late', '-p', `127.0.0.1:${port}:80`];
  const { code, stderr } = await daemon.docker('run', ...flags, BUSYBOX, 'sleep', '1000');
  assert.equal(code, 125);
  assert.match(stderr, /driver failed programming external connectivity on endpoint late/);
  assert.match(stderr, /address already in use/);
  taken.close();
  await once(taken, 'close');
  await daemon.ok('start', 'late');
  await daemon.ok('rm', '-f', 'late');
});

test('containers on the default bridge have addresses and reach each other by them', async () => {
  await webServer('server', 'inside');
  const address = await daemon.ok('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'server');
  assert.match(address, /^172\.\d+\.0\.\d+$/);
  const script = `until wget -qO- http://${address}/; do :; done 2>/dev/null`;
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'sh', '-c', script), 'inside');
  await daemon.ok('rm', '-f', 'server');
});

test('a container without a network has only loopback', async () => {
  const links = await daemon.ok('run', '--rm', '--network', 'none', BUSYBOX, 'ip', '-o', 'link');
  assert.equal(links.split('\n').length, 1);
  assert.match(links, /^1: lo: .*\bUP\b/);
});

test('name files are as docker writes them', async () => {
  const flags = ['-h', 'ferry', '--add-host', 'pier:10.1.2.3'];
  const script = 'cat /etc/hostname /etc/hosts; grep -c nameserver /etc/resolv.conf';
  const text = await daemon.ok('run', '--rm', ...flags, BUSYBOX, 'sh', '-c', script);
  assert.match(text, /^ferry$/m);
  assert.match(text, /^127\.0\.0\.1\tlocalhost$/m);
  assert.match(text, /^10\.1\.2\.3\tpier$/m);
  assert.match(text, /^172\.\S+\tferry$/m);
  assert.match(text, /^[1-9]$/m);
});

test('the host’s loopback is closed to containers', async () => {
  const secret = createServer((socket) => socket.end('secret')).listen(0, '127.0.0.1');
  await once(secret, 'listening');
  const { port } = secret.address() as AddressInfo;
  const script = `for h in 10.0.2.2 10.0.2.100 127.0.0.1; do nc -w 2 $h ${port} </dev/null; done; true`;
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'sh', '-c', script), '');
  secret.close();
});

test('the three predefined networks are listed and inspected', async () => {
  const names = await daemon.ok('network', 'ls', '--format', '{{.Name}} {{.Driver}}');
  assert.deepEqual(names.split('\n').toSorted(), ['bridge bridge', 'host host', 'none null']);
  const gateway = '{{(index .IPAM.Config 0).Gateway}}';
  assert.match(await daemon.ok('network', 'inspect', '-f', gateway, 'bridge'), /^172\.\d+\.0\.1$/);
});

test('64 clients at once are all served through a published port', async () => {
  await webServer('crowd', 'served', '-p', '127.0.0.1::80');
  const address = await daemon.ok('port', 'crowd', '80');
  await page(`http://${address}/`);
  const pages = await Promise.all(
    Array.from({ length: 64 }, async () => (await fetch(`http://${address}/`)).text()),
  );
  assert.ok(pages.every((text) => text === 'served\n'));
  await daemon.ok('rm', '-f', 'crowd');
});
