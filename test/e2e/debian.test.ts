import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { debianImage } from '../support/debian-image.ts';
import { TestRegistry } from '../support/registry.ts';

const MINUTE_MS = 60_000;

const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const { reference } = await registry.push(await debianImage('debian:minimal'));

test('a Debian image is pulled from a registry and runs its shell', async () => {
  await daemon.ok('pull', '-q', reference);
  assert.match(await daemon.ok('run', '--rm', reference, 'cat', '/etc/os-release'), /ID=debian/);
});

test('without subordinate ids the image is pulled and used by root alone, and keeps its owners', async () => {
  await using single = await startDaemon({ flags: ['--userns-mode', 'single'] });
  await single.ok('pull', '-q', reference);
  const shadow = ['stat', '-c', '%u:%g %a', '/etc/shadow'];
  assert.equal(await single.ok('run', '--rm', reference, ...shadow), '0:0 640');
  const script = 'useradd -m mate && touch /etc/shadow && apt-get --version';
  await single.ok('run', '--name', 'changed', reference, 'sh', '-c', script);
  const copy = `${registry.host}/fleet/changed:1`;
  await single.ok('commit', 'changed', copy);
  await single.ok('push', copy);
  await daemon.ok('pull', '-q', copy);
  assert.equal(await daemon.ok('run', '--rm', copy, ...shadow), '0:42 640');
});

test('apt updates and installs a package through the uplink', async () => {
  const script = 'apt-get update && apt-get install -y --no-install-recommends hello && hello';
  const { code, stdout, stderr } = await daemon.dockerWith(
    { timeoutMs: 5 * MINUTE_MS },
    ...['run', '--rm', '-e', 'DEBIAN_FRONTEND=noninteractive', reference, 'sh', '-c', script],
  );
  assert.equal(code, 0, `${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  assert.match(stdout, /Hello, world!$/m);
});

test('owners, modes and capabilities of the root file system are as in the image', async () => {
  const script = 'stat -c "%a %U:%G" /tmp /etc/shadow /usr/bin/passwd /root';
  const lines = (await daemon.ok('run', '--rm', reference, 'sh', '-c', script)).split('\n');
  assert.deepEqual(lines, ['1777 root:root', '640 root:shadow', '4755 root:root', '700 root:root']);
});

test('an account of the image is used by its name and gets its home', async () => {
  const script = 'id -un; id -u; echo $HOME';
  assert.equal(
    await daemon.ok('run', '--rm', '-u', 'www-data', reference, 'sh', '-c', script),
    'www-data\n33\n/var/www',
  );
});
