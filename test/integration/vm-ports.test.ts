/** Published ports across the border of a virtual machine: both sides for real, over a line in memory. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { DOOR } from '../../src/channel/port-requests.ts';
import { runGuestAgent } from '../../src/guest/guest-agent.ts';
import { openOuterDoor } from '../../src/guest/outer-door.ts';
import { openDoor } from '../../src/guest/port-clients.ts';
import { ListenerRegistry } from '../../src/host/listener-registry.ts';
import { OuterPorts } from '../../src/host/outer/outer-ports.ts';
import { serveGuest } from '../../src/host/vm/ports/serve-guest.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { socketDescriptor } from '../../src/sys/descriptor-passing.ts';
import { duplicateFd } from '../../src/sys/libc.ts';
import { bindSocket } from '../../src/sys/listening-socket.ts';
import { parseIpv4 } from '../../src/sys/netlink/ipv4.ts';
import { RouteSocket } from '../../src/sys/netlink/route-socket.ts';
import { eventually } from '../support/eventually.ts';
import { memoryLine } from '../support/memory-line.ts';
import { outcomeOf } from '../support/outcome-of.ts';

/** A client that is not on loopback. */
const STRANGER = '192.0.2.7';

RouteSocket.with((routes) => {
  routes.setLoopbackUp();
  for (const address of [DOOR.ipv4, STRANGER]) routes.addLoopbackAddress(parseIpv4(address) ?? 0);
});
openDoor();

/** The daemon in a guest, with hosts around it that come and go. */
async function openGuest() {
  const dir = await mkdtemp(join(tmpdir(), 'outer-'));
  const agent = join(dir, 'outer.sock');
  const listeners = new ListenerRegistry();
  const lines: Duplex[] = [];
  let door: Server | undefined;
  const attach = async () => {
    const [hostEnd, guestEnd] = memoryLine();
    lines.push(hostEnd, guestEnd);
    const told = runGuestAgent({
      transport: guestEnd,
      apiSocket: '/nowhere',
      onChannel: (channel) => {
        door?.close();
        const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
        door = openOuterDoor({ path: agent, owner, open: (target) => channel.open(target) });
      },
    });
    told.catch(() => undefined);
    const host: Channel = new Channel({
      transport: hostEnd,
      side: 'host',
      onStream: (target, stream) => serveGuest(target, stream, (wanted) => host.open(wanted)),
    });
    await eventually(() => host.isGreeted);
  };
  await attach();
  const ports = new OuterPorts({ agent, listeners, clock: systemClock, logger: silentLogger });
  const detach = () => {
    for (const line of lines) line.destroy();
  };
  const dispose = async () => {
    for (const { listenerId } of listeners.ports()) ports.close(listenerId);
    detach();
    door?.close();
    listeners.closeAll();
    await rm(dir, { recursive: true, force: true });
  };
  return { ports, listeners, attach, detach, [Symbol.asyncDispose]: dispose };
}

type Guest = Awaited<ReturnType<typeof openGuest>>;

/** A TCP port whose server tells who speaks to it, and says all back. */
async function publishEcho(guest: Guest) {
  const name = await guest.ports.open({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 0 });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.write(`${socket.remoteAddress} ${socket.remotePort}\n`);
    socket.pipe(socket);
  });
  server.listen({ fd: duplicateFd(guest.listeners.descriptor(name.listenerId)) });
  await once(server, 'listening');
  return { name, server, [Symbol.dispose]: () => server.close() };
}

/** Sends `text` and its end from an address of ours; the whole answer, unless the connection was refused or cut. */
function ask(hostPort: number, localAddress: string, text: string) {
  const socket = connect({ host: '127.0.0.1', port: hostPort, localAddress, allowHalfOpen: true });
  let answer = '';
  let localPort: number | undefined;
  return new Promise<{ answer: string; localPort: number | undefined }>((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.once('connect', () => {
      localPort = socket.localPort;
      socket.end(text);
    });
    socket.once('end', () => resolve({ answer, localPort }));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`cut after: ${answer}`)));
  });
}

function isFree(hostPort: number): boolean {
  try {
    closeSync(bindSocket({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort }).fd);
    return true;
  } catch {
    return false;
  }
}

test('a client reaches the container under its own address, and each direction ends by itself', async () => {
  await using guest = await openGuest();
  using echo = await publishEcho(guest);
  const text = 'x'.repeat(1_000_000);
  const { answer, localPort } = await ask(echo.name.hostPort, STRANGER, text);
  assert.equal(answer, `${STRANGER} ${localPort}\n${text}`);
  assert.match((await ask(echo.name.hostPort, '127.0.0.2', '')).answer, /^127\.0\.0\.1 /);
});

test('datagrams of each client find their way, and so do the answers', async () => {
  await using guest = await openGuest();
  const { listenerId, hostPort } = await guest.ports.open({
    protocol: 'udp',
    hostIp: '0.0.0.0',
    hostPort: 0,
  });
  const server = createSocket('udp4');
  server.bind({ fd: duplicateFd(guest.listeners.descriptor(listenerId)) });
  server.on('message', (datagram, from) => {
    server.send(`${from.address} ${from.port} ${datagram}`, from.port, from.address);
  });
  const clients = [1, 2].map(() => createSocket('udp4'));
  for (const [index, client] of clients.entries()) {
    await new Promise<void>((resolve) => client.bind({ address: STRANGER }, resolve));
    client.send(`hello ${index}`, hostPort, '127.0.0.1');
    const [answer] = (await once(client, 'message')) as [Buffer];
    // The client holds its port itself, so the engine sees another.
    assert.match(answer.toString(), new RegExp(`^${STRANGER} \\d+ hello ${index}$`));
  }
  for (const socket of [server, ...clients]) socket.close();
});

test('a port that is taken is refused with the system’s reason, and nothing is left of it', async () => {
  await using guest = await openGuest();
  const { hostPort } = await guest.ports.open({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 0 });
  const again = guest.ports.open({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort });
  const { kind, text } = await outcomeOf(again);
  assert.equal(kind, 'conflict');
  assert.match(text, /address already in use/);
  assert.equal(guest.listeners.ports().length, 1);
});

test('a port is withdrawn with its listener, and published again by the next host', async () => {
  await using guest = await openGuest();
  using echo = await publishEcho(guest);
  const { hostPort, listenerId } = echo.name;
  guest.detach();
  await eventually(() => isFree(hostPort));
  await guest.attach();
  await eventually(async () => {
    const outcome = await ask(hostPort, STRANGER, 'again').catch(() => undefined);
    return outcome?.answer.endsWith('again') === true;
  });
  guest.ports.close(listenerId);
  await eventually(() => isFree(hostPort));
});

test('connections to the host’s loopback carry what the server says first', async () => {
  await using guest = await openGuest();
  const server = createServer((socket) => socket.on('error', () => undefined).end('me first'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const connection = await guest.ports.connect('127.0.0.1', port);
  // As it is handed to the engine.
  const joined = new Socket({ fd: duplicateFd(socketDescriptor(connection)) });
  connection.destroy();
  let heard = '';
  joined.on('data', (chunk: Buffer) => {
    heard += chunk.toString();
  });
  await once(joined.resume(), 'close');
  assert.equal(heard, 'me first');
  server.close();
  const { text } = await outcomeOf(guest.ports.connect('127.0.0.1', port));
  assert.match(text, /ECONNREFUSED/);
});
