// tier: host
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { leavesNothing } from '../support/host/leaves-nothing.ts';
import { makePingDaemon, type Published } from '../support/host/ping-daemon.ts';
import { tracesOf, userNamespaceOf } from '../support/traces.ts';

const NEEDS = requires('userns', 'subordinate-ids', 'net-tun', 'slirp4netns');

describe('a host process', NEEDS, () => {
  test('makes a machine in which container root is the caller and the outside can be reached', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const status = await daemon.status();
    assert.equal(status.state, 'running');
    assert.equal(status.idMap, 'subid');
    assert.equal(status.uplink?.driver, 'slirp4netns');
    const namespaces = await Promise.all(
      ['user', 'net', 'mnt'].map((kind) => readlink(`/proc/${status.engine?.pid}/ns/${kind}`)),
    );
    const ours = await Promise.all(
      ['user', 'net', 'mnt'].map((kind) => readlink(`/proc/self/ns/${kind}`)),
    );
    for (const [index, namespace] of namespaces.entries()) assert.notEqual(namespace, ours[index]);
  });

  test('leaves nothing when it is told to stop', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const namespace = await userNamespaceOf((await daemon.status()).engine?.pid ?? 0);
    assert.equal(await daemon.endHost('SIGTERM'), 0);
    await leavesNothing(daemon, namespace);
    assert.equal((await daemon.status()).state, 'stopped');
  });

  test('is ended by the down command, with links in place while it runs', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const link = join(daemon.home.runtimeDir, 'docker.sock');
    await eventually(async () => (await readlink(link)) === daemon.socketPath);
    assert.equal(await daemon.down(), 'stopped');
    assert.deepEqual(await readdir(daemon.home.runtimeDir), []);
    assert.equal(await daemon.down(), 'not-running');
  });

  test('refuses to be the second one and names the first', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const { host } = await daemon.status();
    const [code] = await once(daemon.launch(), 'exit');
    assert.equal(code, 1);
    assert.match(daemon.log(), new RegExp(`already running in .* \\(pid ${host?.pid}\\)`));
    assert.equal((await daemon.status()).state, 'running');
  });

  test('does not replace an API socket that somebody else serves', async () => {
    await using daemon = await makePingDaemon();
    const path = join(daemon.home.root, 'other.sock');
    const other = createServer().listen(path);
    await once(other, 'listening');
    const [code] = await once(daemon.launch('-H', `unix://${path}`), 'exit');
    assert.equal(code, 1);
    assert.match(daemon.log(), /another process listens there/);
    assert.deepEqual((await tracesOf(daemon.home, undefined)).files, []);
    other.close();
  });

  test('works with a single id and says what that costs', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start('--userns-mode', 'single');
    assert.equal((await daemon.status()).idMap, 'single');
  });

  test('binds published ports on the host and tells why one cannot be had', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const { hostPort } = await daemon.ask<Published>('/publish?port=0');
    await assert.rejects(daemon.ask(`/publish?port=${hostPort}`), /address already in use/);
    await assert.rejects(daemon.ask('/publish?port=1'), /permission denied/);
    const held = await daemon.ask<readonly Published[]>('/held');
    assert.deepEqual(
      held.map((listener) => listener.hostPort),
      [hostPort],
    );
  });

  test('opens connections for the engine to what listens on the loopback of the host', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const greeter = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(greeter, 'listening');
    const address = greeter.address();
    assert.ok(typeof address === 'object' && address !== null);
    assert.equal(await daemon.ask(`/dial?port=${address.port}`), 'hello');
    greeter.close();
    await once(greeter, 'close');
    await assert.rejects(daemon.ask(`/dial?port=${address.port}`), /ECONNREFUSED/);
  });
});
