import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { SocksServer } from './socks-server.ts';

/** A server that says what it was dialled as, and what it hears. */
async function rig(run: (socks: SocksServer, dialled: string[]) => Promise<void>): Promise<void> {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0);
  await once(echo, 'listening');
  const dialled: string[] = [];
  await using socks = await SocksServer.open({
    connect: async ({ host, port }) => {
      dialled.push(`${host} ${port}`);
      if (host === 'nowhere') throw new Error('no such host');
      return connect((echo.address() as AddressInfo).port);
    },
  });
  try {
    await run(socks, dialled);
  } finally {
    echo.close();
  }
}

async function client({ url }: SocksServer, password?: string): Promise<Socket> {
  const { port, username, password: right } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  const sent = password ?? right;
  socket.write(Buffer.from([5, 2, 0, 2]));
  socket.write(Buffer.from([1, username.length, ...Buffer.from(username)]));
  socket.write(Buffer.from([sent.length, ...Buffer.from(sent)]));
  return socket;
}

const ask = (command: number, name: string) =>
  Buffer.from([5, command, 0, 3, name.length, ...Buffer.from(name), 1, 187]);

test('a client with the password is connected by name, and hears both ends', () =>
  rig(async (socks, dialled) => {
    const socket = await client(socks);
    socket.write(ask(1, 'forge.test'));
    socket.end('hello');
    assert.match(await text(socket), /hello$/);
    assert.deepEqual(dialled, ['forge.test 443']);
  }));

test('nobody else is, nor one who wants something else', () =>
  rig(async (socks, dialled) => {
    const stranger = await client(socks, 'guess');
    stranger.write(ask(1, 'forge.test'));
    assert.deepEqual(Buffer.from(await text(stranger), 'latin1').subarray(-1), Buffer.from([1]));
    const binder = await client(socks);
    binder.end(ask(2, 'forge.test'));
    assert.equal((await text(binder)).charCodeAt(5), 7);
    assert.deepEqual(dialled, []);
  }));

test('a place that cannot be reached is told', () =>
  rig(async (socks, dialled) => {
    const socket = await client(socks);
    socket.write(ask(1, 'nowhere'));
    assert.equal((await text(socket)).charCodeAt(5), 4);
    assert.deepEqual(dialled, ['nowhere 443']);
  }));
