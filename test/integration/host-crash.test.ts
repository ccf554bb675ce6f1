// tier: host
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { leavesNothing } from '../support/host/leaves-nothing.ts';
import { makePingDaemon, type PingDaemon, type Published } from '../support/host/ping-daemon.ts';
import { tracesOf, userNamespaceOf } from '../support/traces.ts';

const NEEDS = requires('userns', 'subordinate-ids', 'net-tun', 'slirp4netns');

async function enginePid(daemon: PingDaemon): Promise<number> {
  return (await daemon.ask<{ pid: number }>('/')).pid;
}

async function canConnect(port: number): Promise<void> {
  const socket = createConnection({ host: '127.0.0.1', port });
  await once(socket, 'connect');
  socket.destroy();
}

describe('when a part of the machine is killed', NEEDS, () => {
  test('the engine is started again and no client is refused meanwhile', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const before = await enginePid(daemon);
    const { hostPort } = await daemon.ask<Published>('/publish?port=0');
    process.kill(before, 'SIGKILL');
    assert.notEqual(await enginePid(daemon), before);
    const held = await daemon.ask<readonly Published[]>('/held');
    assert.deepEqual(
      held.map((listener) => listener.hostPort),
      [hostPort],
    );
    assert.equal((await daemon.status()).engine?.restarts, 1);
  });

  test('the next host takes over the engine with its sockets, and both go on', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const engine = await enginePid(daemon);
    const { anchor } = await daemon.status();
    const { hostPort } = await daemon.ask<Published>('/publish?port=0');
    await daemon.endHost('SIGKILL');
    assert.equal((await daemon.status()).state, 'degraded');
    assert.equal(await enginePid(daemon), engine, 'the engine serves without a host');

    await daemon.start();
    assert.equal(await enginePid(daemon), engine);
    assert.equal((await daemon.status()).anchor?.pid, anchor?.pid);
    const held = await daemon.ask<readonly Published[]>('/held');
    assert.deepEqual(
      held.map((listener) => listener.hostPort),
      [hostPort],
    );

    process.kill(engine, 'SIGKILL');
    await canConnect(hostPort);
    assert.notEqual(await enginePid(daemon), engine, 'the taken sockets outlive the engine');
  });

  test('a new machine is made when host and anchor have gone, and nothing of the old one is left', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const { anchor, engine } = await daemon.status();
    const namespace = await userNamespaceOf(engine?.pid ?? 0);
    await daemon.endHost('SIGKILL');
    process.kill(anchor?.pid ?? 0, 'SIGKILL');
    await daemon.start();
    assert.notEqual((await daemon.status()).anchor?.pid, anchor?.pid);
    await eventually(async () => (await userNamespaceOf(engine?.pid ?? 0)) === undefined);
    const { processes } = await tracesOf(daemon.home, namespace);
    assert.deepEqual(
      processes.filter((line) => line.includes(`${anchor?.pid} tap0`)),
      [],
    );
  });

  test('the uplink is started again', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const before = (await daemon.status()).uplink?.pid;
    process.kill(before ?? 0, 'SIGKILL');
    await eventually(async () => {
      const now = (await daemon.status()).uplink?.pid;
      return now !== undefined && now !== before;
    });
  });

  test('the host ends with an error when the anchor is killed, and leaves nothing', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const { anchor, engine } = await daemon.status();
    const namespace = await userNamespaceOf(engine?.pid ?? 0);
    process.kill(anchor?.pid ?? 0, 'SIGKILL');
    await eventually(async () => (await daemon.status()).state === 'stopped');
    await eventually(() =>
      daemon.log().includes('the process that holds the namespaces has ended'),
    );
    await leavesNothing(daemon, namespace);
  });

  test('down cleans up after a killed host', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const namespace = await userNamespaceOf((await daemon.status()).engine?.pid ?? 0);
    await daemon.endHost('SIGKILL');
    assert.equal(await daemon.down(), 'cleaned');
    await leavesNothing(daemon, namespace);
    assert.match(daemon.log(), /reason=stop/, 'the engine was asked to stop its containers');
  });

  test('down finds the machine even when its record is destroyed', async () => {
    await using daemon = await makePingDaemon();
    await daemon.start();
    const namespace = await userNamespaceOf((await daemon.status()).engine?.pid ?? 0);
    await daemon.endHost('SIGKILL');
    await writeFile(join(daemon.home.runtimeDir, 'wherry', 'machine.json'), '{');
    assert.equal(await daemon.down(), 'cleaned');
    await leavesNothing(daemon, namespace);
  });
});
