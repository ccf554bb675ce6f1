import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { FakeHostListeners } from '../../src/network/fake/fake-host-listeners.ts';
import { Publisher, toContainer } from '../../src/network/publish/publisher.ts';
import { SourceAddresses } from '../../src/network/publish/source-addresses.ts';
import { TcpForwarder } from '../../src/network/publish/tcp-forwarder.ts';
import { UdpForwarder } from '../../src/network/publish/udp-forwarder.ts';
import type { PublishedPort } from '../../src/network/sandbox-service.ts';
import { newContainerId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { bindSocket } from '../../src/sys/listening-socket.ts';
import { RouteSocket } from '../../src/sys/netlink/route-socket.ts';
import { testHostListenersContract } from '../contract/host-listeners.ts';
import { eventually } from '../support/eventually.ts';
import { addressOf, openTestNetwork, serveInside } from '../support/network/network-fixture.ts';

RouteSocket.with((routes) => routes.setLoopbackUp());
testHostListenersContract('in this process', async () => new FakeHostListeners());

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** A server on loopback that stands for the container. */
async function serve(onConnection: (socket: Socket) => unknown): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A forwarder in front of a port of loopback. */
function forwardTo(port: number): { readonly forwarder: TcpForwarder; readonly port: number } {
  const bound = bindSocket({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 0 });
  const forwarder = TcpForwarder.listen(
    bound.fd,
    toContainer({ ipAddress: '127.0.0.1', prefixLength: 8, port }, SourceAddresses.none()),
  );
  return { forwarder, port: bound.hostPort };
}

/** Sends everything, ends the sending side, and returns everything that came back. */
async function exchange(port: number, payload: Buffer, host = '127.0.0.1'): Promise<Buffer> {
  const socket = connect({ port, host, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.end(payload);
  await once(socket, 'end');
  socket.destroy();
  return Buffer.concat(chunks);
}

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Answers with what it got, but only after the client has ended its side. */
function echoAtTheEnd(socket: Socket): void {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => socket.end(Buffer.concat(chunks)));
}

test('64 clients at once get their megabyte back through a published port, after ending their side', async () => {
  await using network = await openTestNetwork();
  const publish = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 0 }];
  const sandbox = await network.service.create({
    containerId: newContainerId(),
    mode: 'bridge',
    hostname: 'web',
    publish,
  });
  const server = await serveInside(sandbox, 80, echoAtTheEnd);
  const [ipv4, ipv6] = sandbox.published as [PublishedPort, PublishedPort];
  const payload = randomBytes(1 << 20);
  const answers = await Promise.all(
    Array.from({ length: 64 }, (_, client) =>
      client % 2 === 0 ? exchange(ipv4.hostPort, payload) : exchange(ipv6.hostPort, payload, '::1'),
    ),
  );
  for (const answer of answers) assert.equal(digest(answer), digest(payload));
  server.close();
  assert.match(addressOf(sandbox), /^172\./);
});

test('a slow reader holds its sender back and loses nothing', async () => {
  const size = 32 << 20;
  let sent = 0;
  const port = await serve((socket) => {
    const chunk = Buffer.alloc(1 << 20, 7);
    const more = () => {
      while (sent < size) {
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
      socket.end();
    };
    socket.on('drain', more);
    more();
  });
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  client.pause();
  await once(client, 'connect');
  await eventually(() => sent > 0);
  let before = -1;
  await eventually(
    () => {
      const stalled = sent === before;
      before = sent;
      return stalled;
    },
    { everyMs: 200 },
  );
  assert.ok(sent < size, 'the sender waits for the reader');
  let received = 0;
  client.on('data', (chunk) => {
    received += chunk.length;
  });
  client.resume();
  await once(client, 'end');
  assert.equal(received, size);
  await forwarder.close();
});

test('small messages to a slow reader arrive whole and in order', async () => {
  const message = randomBytes(9_000);
  const count = 4_000;
  let sent = 0;
  const port = await serve((socket) => {
    // One message at a time, each with a turn of its own to be carried in, until none is accepted any more.
    const next = () => {
      if (sent++ === count) socket.end();
      else if (socket.write(message)) setImmediate(next);
      else socket.once('drain', next);
    };
    next();
  });
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  client.pause();
  await once(client, 'connect');
  let before = -1;
  await eventually(
    () => {
      const stalled = sent > 0 && sent === before;
      before = sent;
      return stalled;
    },
    { everyMs: 200 },
  );
  assert.ok(sent < count, 'the sender waits for the reader');
  const got = createHash('sha256');
  client.on('data', (chunk) => got.update(chunk));
  client.resume();
  await once(client, 'end');
  const whole = Buffer.concat(Array.from({ length: count }, () => message));
  assert.equal(got.digest('hex'), digest(whole));
  await forwarder.close();
});

test('a port that nobody serves in the container resets its clients', async () => {
  const port = await serve(() => undefined);
  servers.pop()?.close();
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  const [error] = await once(client, 'error');
  assert.equal(error.code, 'ECONNRESET');
  assert.equal(forwarder.connectionCount, 0);
  await forwarder.close();
});

test('a reset of the container is a reset for the client, not an end', async () => {
  const port = await serve((socket) => {
    socket.write('part');
    socket.once('data', () => socket.resetAndDestroy());
  });
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  await once(client, 'data');
  client.write('go');
  const [error] = await once(client, 'error');
  assert.equal(error.code, 'ECONNRESET');
  await forwarder.close();
});

test('a client that vanishes is noticed by the container', async () => {
  const accepted: Socket[] = [];
  const port = await serve((socket) => accepted.push(socket));
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  client.write('hello');
  const served = await eventually(() => accepted[0]);
  const failed = once(served, 'error');
  served.resume();
  client.resetAndDestroy();
  assert.equal((await failed)[0].code, 'ECONNRESET');
  await eventually(() => forwarder.connectionCount === 0);
  await forwarder.close();
});

test('closing delivers what the container has sent before its end', async () => {
  const last = randomBytes(600_000);
  let ended = false;
  const port = await serve((socket) => {
    socket.end(last, () => {
      ended = true;
    });
  });
  const { forwarder, port: publicPort } = forwardTo(port);
  const client = connect(publicPort, '127.0.0.1');
  client.pause();
  await once(client, 'connect');
  await eventually(() => ended);
  const closed = forwarder.close();
  const chunks: Buffer[] = [];
  client.on('data', (chunk) => chunks.push(chunk));
  client.resume();
  await once(client, 'end');
  assert.equal(digest(Buffer.concat(chunks)), digest(last));
  await closed;
  assert.equal(forwarder.connectionCount, 0);
});

test('a closed forwarder takes no connections', async () => {
  const port = await serve(() => undefined);
  const { forwarder, port: publicPort } = forwardTo(port);
  await forwarder.close();
  await forwarder.close();
  const [error] = await once(connect(publicPort, '127.0.0.1'), 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});

test('datagrams of several clients are answered to the right one, and idle clients are forgotten', async () => {
  const echo = createSocket('udp4');
  echo.on('message', (datagram, from) => echo.send(datagram, from.port, from.address));
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
  const bound = bindSocket({ protocol: 'udp', hostIp: '127.0.0.1', hostPort: 0 });
  const forwarder = await UdpForwarder.listen({
    fd: bound.fd,
    family: 'udp4',
    target: { ipAddress: '127.0.0.1', prefixLength: 8, port: echo.address().port },
    sources: SourceAddresses.none(),
    idleMs: 150,
  });
  const answers = await Promise.all(
    ['a', 'b', 'c'].map(async (text) => {
      const client = createSocket('udp4');
      client.send(text, bound.hostPort, '127.0.0.1');
      const [answer] = await once(client, 'message');
      client.close();
      return String(answer);
    }),
  );
  assert.deepEqual(answers, ['a', 'b', 'c']);
  await eventually(() => forwarder.flowCount === 0);
  await forwarder.close();
  echo.close();
});

const publisherOf = (host: FakeHostListeners, logger: typeof silentLogger) =>
  new Publisher({ host, sources: SourceAddresses.none(), remapsPrivileged: false, logger });

const target = {
  endpointName: 'web',
  endpointId: 'e'.repeat(64),
  ipAddress: '127.0.0.1',
  prefixLength: 8,
};

test('a listener that the host still holds is taken over, a lost one is bound anew', async () => {
  const containerPort = await serve((socket) => socket.end('hello'));
  const host = new FakeHostListeners();
  const heldOne = await host.open({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 0 });
  const lostOne = await host.open({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 0 });
  const ports = [heldOne, lostOne].map(({ fd, ...listener }) => {
    closeSync(fd);
    return { ...listener, protocol: 'tcp' as const, containerPort };
  });
  await host.close(lostOne.listenerId);

  const publication = await publisherOf(host, silentLogger).restore(target, ports);
  assert.deepEqual(
    publication.ports.map(({ hostPort }) => hostPort),
    [heldOne.hostPort, lostOne.hostPort],
  );
  assert.equal(publication.ports[0]?.listenerId, heldOne.listenerId);
  for (const { hostPort } of publication.ports) {
    assert.equal(String(await exchange(hostPort, Buffer.alloc(0))), 'hello');
  }
  await publication.close();
  assert.deepEqual(await host.held(), []);
});

test('a port that someone took meanwhile is left out with a warning', async () => {
  const host = new FakeHostListeners();
  const taken = await host.open({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 0 });
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => warnings.push(message) };
  const { hostPort } = taken;
  const port = { protocol: 'tcp' as const, containerPort: 80, hostIp: '127.0.0.1', hostPort };
  const publication = await publisherOf(host, logger).restore(target, [
    { ...port, listenerId: 'lost' },
  ]);
  assert.deepEqual(publication.ports, []);
  assert.deepEqual(warnings, ['a published port is lost']);
  closeSync(taken.fd);
  await host.close(taken.listenerId);
});
