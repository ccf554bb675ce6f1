import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect } from 'node:net';
import { test } from 'node:test';
import { encode } from 'dns-packet';
import type { Sandbox, SandboxRequest } from '../../src/network/sandbox-service.ts';
import { systemCode } from '../../src/shared/errors.ts';
import { newContainerId } from '../../src/shared/ids.ts';
import { run } from '../../src/sys/exec/run.ts';
import { bindSocket } from '../../src/sys/listening-socket.ts';
import {
  removeNetworkNamespace,
  withNetworkNamespace,
} from '../../src/sys/ns/network-namespace.ts';
import { testSandboxServiceContract } from '../contract/sandbox-service.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, busyboxInside, openTestNetwork } from '../support/network/network-fixture.ts';

testSandboxServiceContract('Linux namespaces', openTestNetwork);

const requestFor = (changes: Partial<SandboxRequest> = {}): SandboxRequest => ({
  containerId: newContainerId(),
  mode: 'bridge',
  hostname: 'web',
  publish: [],
  ...changes,
});

/** With the thousand of a longer run nothing else was seen. */
const CYCLES = Number(process.env['WHERRY_PUBLISH_CYCLES'] ?? 150);

test('two containers reach each other and the gateway', async () => {
  await using network = await openTestNetwork();
  const first = await network.service.create(requestFor());
  const second = await network.service.create(requestFor());
  for (const target of [addressOf(second), second.endpoints[0]?.gateway ?? '']) {
    const { exitCode, stdout } = await busyboxInside(first, 'ping', '-c1', '-W2', target);
    assert.equal(exitCode, 0, stdout);
  }
});

test('a container of mode none has a working loopback and nothing else', async () => {
  await using network = await openTestNetwork();
  const other = await network.service.create(requestFor());
  const alone = await network.service.create(requestFor({ mode: 'none' }));
  const links = await busyboxInside(alone, 'ip', '-o', 'link');
  assert.deepEqual(links.stdout.match(/^\d+: [^:@]+/gm), ['1: lo']);
  assert.equal((await busyboxInside(alone, 'ping', '-c1', '-W2', '127.0.0.1')).exitCode, 0);
  const attempt = await busyboxInside(alone, 'ping', '-c1', '-W1', addressOf(other));
  assert.notEqual(attempt.exitCode, 0);
});

test('the container sees eth0 with its address, its MAC and the default route', async () => {
  await using network = await openTestNetwork();
  const sandbox = await network.service.create(requestFor());
  const [endpoint] = sandbox.endpoints;
  const { stdout } = await busyboxInside(sandbox, 'ip', 'addr', 'show', 'eth0');
  assert.match(stdout, new RegExp(`inet ${endpoint?.ipAddress}/16 brd `));
  assert.match(stdout, new RegExp(`link/ether ${endpoint?.macAddress}`));
  assert.match(stdout, /mtu 65520/);
  assert.doesNotMatch(stdout, /inet6/);
  const routes = await busyboxInside(sandbox, 'ip', 'route');
  assert.match(routes.stdout, new RegExp(`^default via ${endpoint?.gateway} dev eth0`, 'm'));
});

test('ordinary users of a container may bind low ports and ping', async () => {
  await using network = await openTestNetwork();
  const sandbox = await network.service.create(requestFor({ mode: 'none' }));
  const settings = ['ip_unprivileged_port_start', 'ping_group_range'];
  const paths = settings.map((name) => `/proc/sys/net/ipv4/${name}`);
  const { stdout } = await busyboxInside(sandbox, 'cat', ...paths);
  assert.match(stdout, /^0\n0\t[1-9]\d*\n$/);
});

test('an address that is used again at once belongs to the new container from the first packet on', async () => {
  await using network = await openTestNetwork();
  for (let round = 0; round < 10; round++) {
    const request = requestFor();
    const sandbox = await network.service.create(request);
    const startedAt = performance.now();
    const code = await new Promise((resolve) =>
      connect(80, addressOf(sandbox)).on('error', (error) => resolve(systemCode(error))),
    );
    assert.equal(code, 'ECONNREFUSED');
    assert.ok(performance.now() - startedAt < 900, 'a lost first packet is sent again after 1 s');
    await network.service.remove(request.containerId);
  }
});

test('the bridge stays awake when its last container is gone, so that the next one loses no packet', async () => {
  await using network = await openTestNetwork();
  const before = await network.holdings();
  const request = requestFor();
  await network.service.create(request);
  await network.service.remove(request.containerId);
  await network.returnsTo(before);
  const { stdout } = await run(
    { file: 'busybox', args: ['ip', 'link', 'show', 'docker0'] },
    { timeoutMs: 10_000 },
  );
  assert.match(stdout, /LOWER_UP/);
  assert.doesNotMatch(stdout, /NO-CARRIER/);
});

test('a removed sandbox leaves no mount, no link and no descriptor', async () => {
  await using network = await openTestNetwork();
  const before = await network.holdings();
  const requests = Array.from({ length: 8 }, () => requestFor());
  await Promise.all(requests.map((request) => network.service.create(request)));
  assert.equal((await network.holdings()).links, before.links + 8);
  await Promise.all(requests.map(({ containerId }) => network.service.remove(containerId)));
  // The kernel takes a namespace and its links down in the background.
  await network.returnsTo(before);
});

test('a port that another program holds leaves nothing, and a retry succeeds once it is free', async () => {
  await using network = await openTestNetwork();
  const blocker = await network.host.open({ protocol: 'tcp', hostIp: '::', hostPort: 0 });
  const before = await network.holdings();
  const { hostPort } = blocker;
  const publish = [
    { protocol: 'tcp' as const, containerPort: 81, hostIp: '', hostPort: 0 },
    { protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort },
  ];
  const request = requestFor({ containerName: 'web', publish });
  await assert.rejects(network.service.create(request), (error: Error) => {
    const tail = `: failed to bind host port for [::]:${hostPort}:172.17.0.2:80/tcp: address already in use`;
    assert.ok(error.message.endsWith(tail), error.message);
    return true;
  });
  await network.returnsTo(before);
  await network.host.close(blocker.listenerId);
  await assert.rejects(network.service.create(request), /address already in use/);
  closeSync(blocker.fd);
  assert.equal((await network.service.create(request)).published.length, 4);
});

test('publishing a port hundreds of times leaves nothing, and never finds its own port taken', async () => {
  await using network = await openTestNetwork();
  const publish = (['tcp', 'udp'] as const).map((protocol) => ({
    ...{ protocol, containerPort: 80, hostIp: '', hostPort: 41_080 },
  }));
  const before = await network.holdings();
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const { containerId } = await network.service.create(requestFor({ publish }));
    await network.service.remove(containerId);
  }
  await network.returnsTo(before);
});

test('an engine that starts again takes over addresses, namespaces and ports', async () => {
  await using network = await openTestNetwork();
  const publish = [
    { protocol: 'tcp' as const, containerPort: 80, hostIp: '127.0.0.1', hostPort: 0 },
  ];
  const request = requestFor({ publish });
  const before = await network.service.create(request);
  const held = await network.host.held();
  const stray = await network.host.open({ protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0 });

  const restarted = await network.reopen();
  assert.deepEqual(await network.host.held(), held, `stray listener ${stray.hostPort} is closed`);
  assert.equal(restarted.get(request.containerId), undefined);
  const newcomer = await restarted.create(requestFor());
  assert.notEqual(addressOf(newcomer), addressOf(before));
  assert.deepEqual(await restarted.restore(request.containerId), before);
  assert.deepEqual(await network.host.held(), held);
  closeSync(stray.fd);
});

test('a sandbox whose namespace is gone is not restored, and its address is free', async () => {
  await using network = await openTestNetwork();
  const request = requestFor();
  const sandbox = await network.service.create(request);
  removeNetworkNamespace(sandbox.netnsPath);
  const restarted = await network.reopen();
  assert.deepEqual(await restarted.list(), [request.containerId]);
  assert.equal(await restarted.restore(request.containerId), undefined);
  assert.deepEqual(await restarted.list(), []);
  assert.equal(addressOf(await restarted.create(requestFor())), addressOf(sandbox));
});

test('a name server whose sockets the kernel takes away is there again', async () => {
  await using network = await openTestNetwork();
  const networkId = await network.addNetwork('one');
  const sandbox = await network.service.create(
    requestFor({ networks: [{ networkId, names: ['web'] }] }),
  );
  const found = async (...flags: readonly string[]) => {
    const { stdout } = await busyboxInside(sandbox, 'nslookup', ...flags, 'web', '127.0.0.11');
    return stdout.includes(addressOf(sandbox));
  };
  assert.equal(await found(), true);
  const kill = ['ss', '--kill', '--all', '--tcp', '--udp', 'src', '127.0.0.11'];
  const command = { file: 'nsenter', args: [`--net=${sandbox.netnsPath}`, ...kill] };
  const { exitCode, stderr, stdout } = await run(command, { timeoutMs: 10_000 });
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /127\.0\.0\.11:domain/);
  await eventually(() => found());
  const host = await busyboxInside(sandbox, 'nslookup', 'host.docker.internal', '127.0.0.11');
  assert.match(host.stdout, /Address: 192\.0\.2\.77/);
});

test('a name server answers ten thousand questions, known and unknown, and holds on to nothing', async () => {
  await using network = await openTestNetwork();
  const networkId = await network.addNetwork('one');
  const sandbox = await network.service.create(
    requestFor({ networks: [{ networkId, names: ['web'] }], nameservers: ['192.0.2.1#9'] }),
  );
  const before = await network.holdings();
  const kinds = await askMany(sandbox, 10_000);
  // Nothing leads to the server outside: the answer is a failure at once, not silence.
  assert.deepEqual(kinds, { known: 9_000, failed: 1_000 });
  await network.returnsTo(before);
});

/** Asks so often, every tenth time for a name that nobody knows, from within a sandbox. */
async function askMany(
  sandbox: Sandbox,
  count: number,
): Promise<{ known: number; failed: number }> {
  const { fd } = withNetworkNamespace(sandbox.netnsPath, () =>
    bindSocket({ protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0 }),
  );
  const socket = createSocket('udp4');
  const counts = { known: 0, failed: 0 };
  const ended = once(socket, 'close');
  let asked = 0;
  const ask = () => {
    const name = asked++ % 10 === 9 ? 'nobody' : 'web';
    const query = { type: 'query', id: asked & 0xffff, flags: 0x100 } as const;
    socket.send(encode({ ...query, questions: [{ type: 'A', name }] }), 53, '127.0.0.11');
  };
  socket.on('message', (answer) => {
    if ((answer.readUInt16BE(2) & 0xf) === 0) counts.known++;
    else counts.failed++;
    if (counts.known + counts.failed === count) socket.close();
    else if (asked < count) ask();
  });
  await new Promise<void>((resolve) => socket.bind({ fd }, resolve));
  for (let width = 0; width < 32; width++) ask();
  await ended;
  return counts;
}
