import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdirSync, mkdtempSync, rmSync, statSync, writeSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import {
  receiveDescriptor,
  sendDescriptor,
  socketDescriptor,
} from '../../src/sys/descriptor-passing.ts';
import { run } from '../../src/sys/exec/run.ts';
import { pipe } from '../../src/sys/libc.ts';
import { bindSocket, bindUnixSocket } from '../../src/sys/listening-socket.ts';
import { checked, nativeFunction } from '../../src/sys/native.ts';
import { SeqpacketConnection } from '../../src/sys/seqpacket.ts';
import {
  AddressFamily,
  connectUnixSocket,
  openSocket,
  SocketType,
  withUnixAddress,
} from '../../src/sys/socket-calls.ts';
import { watchDescriptor } from '../../src/sys/watch-descriptor.ts';

let dir = '';
before(async () => {
  // A fresh network namespace has its loopback down; elsewhere it is up and this is refused, which is as well.
  await run({ file: 'ip', args: ['link', 'set', 'lo', 'up'] }, { timeoutMs: 5000 });
  dir = mkdtempSync(join(tmpdir(), 'wherry-sockets-'));
});
after(() => rmSync(dir, { recursive: true }));

async function serve(fd: number): Promise<Server> {
  const server = createServer((socket) => socket.end('hello')).listen({ fd });
  await once(server, 'listening');
  return server;
}

describe('bound sockets', () => {
  for (const hostIp of ['127.0.0.1', '::1']) {
    it(`serve node's servers on ${hostIp}`, async () => {
      const { fd, hostPort } = bindSocket({ protocol: 'tcp', hostIp, hostPort: 0 });
      const server = await serve(fd);
      assert.equal(await text(connect(hostPort, hostIp)), 'hello');
      server.close();
    });
  }

  it('hold one port in both address families', () => {
    const four = bindSocket({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 0 });
    const six = bindSocket({ protocol: 'tcp', hostIp: '::', hostPort: four.hostPort });
    assert.equal(six.hostPort, four.hostPort);
    for (const { fd } of [four, six]) closeSync(fd);
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    it(`refuse a ${protocol} port that is taken`, () => {
      const first = bindSocket({ protocol, hostIp: '127.0.0.1', hostPort: 0 });
      const again = { protocol, hostIp: '127.0.0.1', hostPort: first.hostPort };
      assert.throws(() => bindSocket(again), {
        kind: 'conflict',
        details: { code: 'EADDRINUSE', call: 'bind' },
      });
      closeSync(first.fd);
      closeSync(bindSocket(again).fd);
    });
  }

  it('refuse an address that is not ours, and text that is no address', () => {
    const request = { protocol: 'tcp', hostPort: 0 } as const;
    assert.throws(() => bindSocket({ ...request, hostIp: '192.0.2.1' }), { kind: 'conflict' });
    assert.throws(() => bindSocket({ ...request, hostIp: 'localhost' }), {
      kind: 'invalid-argument',
    });
  });
});

describe('a bound unix socket', () => {
  it('has its mode whatever the umask, and refuses to replace another', async () => {
    const path = join(dir, 'api.sock');
    const umask = process.umask(0o077);
    const fd = bindUnixSocket(path, 0o660);
    process.umask(umask);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    assert.throws(() => bindUnixSocket(path, 0o600), { kind: 'conflict' });
    const server = await serve(fd);
    assert.equal(await text(connect(path)), 'hello');
    server.close();
  });

  it('can be bound and reached under a path that is too long for the kernel', async () => {
    const deep = join(dir, 'd'.repeat(120));
    mkdirSync(deep);
    const server = await serve(bindUnixSocket(join(deep, 's'), 0o600));
    closeSync(connectUnixSocket(join(deep, 's')));
    server.close();
  });

  it('tells a missing socket from one where nobody listens', () => {
    assert.throws(() => connectUnixSocket(join(dir, 'missing')), {
      details: { code: 'ENOENT', call: 'connect' },
    });
    closeSync(bindUnixSocket(join(dir, 'deserted'), 0o600));
    assert.throws(() => connectUnixSocket(join(dir, 'deserted')), {
      details: { code: 'ECONNREFUSED', call: 'connect' },
    });
  });
});

describe('descriptor passing', () => {
  it('hands an open file from a node server to a raw client', async () => {
    const path = join(dir, 'handles.sock');
    const { read, write } = pipe();
    const server = createServer((socket) => {
      socket.once('data', (token) => {
        sendDescriptor(socketDescriptor(socket), Buffer.from(`here is ${token}`), write);
        socket.end();
      });
    }).listen({ fd: bindUnixSocket(path, 0o600) });
    const client = connectUnixSocket(path);
    writeSync(client, 'the pipe');
    const received = await receiveDescriptor(client);
    assert.equal(received?.payload.toString(), 'here is the pipe');
    assert.equal(fstatSync(received?.fd ?? -1).ino, fstatSync(read).ino);
    assert.equal(await receiveDescriptor(client), undefined);
    for (const fd of [client, read, write, received?.fd ?? -1]) closeSync(fd);
    server.close();
  });

  it('stops waiting when the caller gives up', async () => {
    const path = join(dir, 'silent.sock');
    const server = createServer().listen({ fd: bindUnixSocket(path, 0o600) });
    const client = connectUnixSocket(path);
    await assert.rejects(receiveDescriptor(client, AbortSignal.timeout(30)), {
      name: 'TimeoutError',
    });
    closeSync(client);
    server.close();
  });
});

describe('seqpacket connections', () => {
  const cBind = nativeFunction('int bind(int fd, const void *address, unsigned int length)');
  const cListen = nativeFunction('int listen(int fd, int backlog)');
  const cAccept = nativeFunction('int accept(int fd, void *address, void *length)');
  const cRecv = nativeFunction('long recv(int fd, void *bytes, size_t length, int flags)');
  const cSend = nativeFunction('long send(int fd, const void *bytes, size_t length, int flags)');

  function listen(name: string): { path: string; listener: number } {
    const path = join(dir, name);
    const listener = openSocket(AddressFamily.unix, SocketType.seqpacket);
    withUnixAddress(path, (address) => checked(cBind(listener, address, address.length), 'bind'));
    checked(cListen(listener, 5), 'listen');
    return { path, listener };
  }

  function receive(peer: number): string {
    const bytes = Buffer.alloc(100_000);
    return bytes.toString('utf8', 0, checked(cRecv(peer, bytes, bytes.length, 0), 'recv'));
  }

  it('keep packets apart and end with a half-close', async () => {
    const { path, listener } = listen('packets');
    const connection = SeqpacketConnection.connect(path);
    const peer = checked(cAccept(listener, null, null), 'accept');
    await Promise.all([connection.send(Buffer.from('one')), connection.send(Buffer.from('two'))]);
    await connection.shutdownWrite();
    assert.deepEqual([receive(peer), receive(peer), receive(peer)], ['one', 'two', '']);
    connection.close();
    for (const fd of [peer, listener]) closeSync(fd);
  });

  it('deliver what the peer sends and notice its end', async () => {
    const { path, listener } = listen('incoming');
    const packets: string[] = [];
    const connection = SeqpacketConnection.connect(path, {
      onPacket: (packet) => packets.push(packet.toString()),
    });
    const peer = checked(cAccept(listener, null, null), 'accept');
    for (const word of ['a', 'b']) cSend(peer, Buffer.from(word), 1, 0);
    closeSync(peer);
    await connection.closed;
    assert.deepEqual(packets, ['a', 'b']);
    await assert.rejects(connection.send(Buffer.from('x')), {
      details: { code: 'EPIPE', call: 'send' },
    });
    closeSync(listener);
  });

  it('slow the sender down to the speed of the peer, losing nothing', async () => {
    const { path, listener } = listen('pressure');
    const connection = SeqpacketConnection.connect(path);
    const peer = checked(cAccept(listener, null, null), 'accept');
    const count = 200;
    let sent = 0;
    const sending = Array.from({ length: count }, async (_, index) => {
      await connection.send(Buffer.alloc(16_384, index));
      sent += 1;
    });
    await Promise.race([Promise.all(sending), new Promise((resolve) => setImmediate(resolve))]);
    assert.ok(sent < count);
    const firstBytes: number[] = [];
    await new Promise<void>((resolve) => {
      const watch = watchDescriptor(peer, 'readable', () => {
        const bytes = Buffer.alloc(16_384);
        assert.equal(cRecv(peer, bytes, bytes.length, 0), 16_384);
        firstBytes.push(bytes[0] ?? -1);
        if (firstBytes.length < count) return;
        watch.stop();
        resolve();
      });
    });
    await Promise.all(sending);
    assert.deepEqual(
      firstBytes,
      Array.from({ length: count }, (_, index) => index),
    );
    connection.close();
    for (const fd of [peer, listener]) closeSync(fd);
  });

  it('fail a waiting packet when the peer goes away', async () => {
    const { path, listener } = listen('leaving');
    const connection = SeqpacketConnection.connect(path);
    const peer = checked(cAccept(listener, null, null), 'accept');
    const sends = Array.from({ length: 100 }, () => connection.send(Buffer.alloc(16_384)));
    const outcomes = Promise.allSettled(sends);
    closeSync(peer);
    const rejected = (await outcomes).filter(({ status }) => status === 'rejected');
    assert.ok(rejected.length > 0);
    await connection.closed;
    closeSync(listener);
  });
});
