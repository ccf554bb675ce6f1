/** Connections of BuildKit's clients: upgrade, gRPC both ways, and what happens when one side goes away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { GrpcClient } from '../../src/builder/buildkit/grpc/grpc-client.ts';
import { serveGrpc } from '../../src/builder/buildkit/grpc/grpc-server.ts';
import { serverStream, unary } from '../../src/builder/buildkit/grpc/service.ts';
import { Empty, ListWorkersResponse } from '../../src/builder/buildkit/proto/control.ts';
import { int, message, string } from '../../src/builder/buildkit/proto/message.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { apiOnSocket } from '../support/api-fixture.ts';
import { socketPair } from '../support/socket-pair.ts';

const signal = new AbortController().signal;
const Text = message({ text: string(1), count: int(2) });
const path = '/test.Service/Method';
const method = { path, request: Text, response: Text };

/** A socket of the API that has been upgraded. */
function upgrade(socketPath: string, headers: Record<string, string>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asked = request({
      socketPath,
      method: 'POST',
      path: headers['path'] ?? '/grpc',
      headers: { Connection: 'Upgrade', Upgrade: 'h2c', ...headers },
    });
    asked.on('upgrade', (answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      assert.equal(answer.headers.upgrade, 'h2c');
      resolve(socket as Socket);
    });
    asked.on('response', (answer) => reject(new Error(`status ${answer.statusCode}`)));
    asked.on('error', reject);
    asked.end();
  });
}

test('an upgraded connection serves the worker that this engine is', async () => {
  await using api = await apiOnSocket();
  const client = new GrpcClient(await upgrade(api.socketPath, {}));
  const { record } = await client.call(
    {
      path: '/moby.buildkit.v1.Control/ListWorkers',
      request: Empty,
      response: ListWorkersResponse,
    },
    {},
    { signal },
  );
  assert.deepEqual(record[0]?.platforms[0]?.architecture, 'amd64');
  client.destroy();
});

test('a method that is not served says so', async () => {
  await using api = await apiOnSocket();
  const client = new GrpcClient(await upgrade(api.socketPath, {}));
  const unknown = { path: '/no.Service/No', request: Empty, response: Empty };
  await assert.rejects(client.call(unknown, {}, { signal }), /unknown method \/no.Service\/No/);
  client.destroy();
});

test('without an upgrade there is an answer of one line', async () => {
  await using api = await apiOnSocket();
  await assert.rejects(upgrade(api.socketPath, { Upgrade: 'tcp' }), /status 400/);
  await assert.rejects(upgrade(api.socketPath, { path: '/session' }), /status 400/);
});

test('a stream flows at the pace of its reader and ends when the reader goes', async () => {
  const [server, caller] = await socketPair();
  let produced = 0;
  const ended = new Promise<void>((resolve) => {
    const many = serverStream({ request: Text, response: Text }, async function* (_, info) {
      info.signal.addEventListener('abort', () => resolve());
      for (;;) {
        produced++;
        yield { text: 'x'.repeat(100_000) };
      }
    });
    void serveGrpc(server, { methods: new Map([[path, many]]), logger: silentLogger });
  });
  const client = new GrpcClient(caller);
  const call = client.open(method, { signal });
  await call.send({ text: 'go' });
  call.end();
  let read = 0;
  for await (const one of call.messages) {
    assert.equal(one.text.length, 100_000);
    if (++read === 3) break;
  }
  call.cancel();
  await ended;
  assert.ok(produced < 1000, `${produced} messages were made for a reader of ${read}`);
  client.destroy();
});

test('calls under way end with the connection, on both sides', async () => {
  const [server, caller] = await socketPair();
  const started = deferred();
  const aborted = deferred();
  const slow = unary({ request: Text, response: Text }, async (_, call) => {
    started.resolve();
    await once(call.signal, 'abort');
    aborted.resolve();
    return {};
  });
  void serveGrpc(server, { methods: new Map([[path, slow]]), logger: silentLogger });
  const client = new GrpcClient(caller);
  const answer = client.call(method, {}, { signal });
  await started.promise;
  client.destroy();
  await assert.rejects(answer);
  await aborted.promise;
});

test('giving up a call tells the other side and leaves the connection', async () => {
  const [server, caller] = await socketPair();
  const started = deferred();
  const aborted = deferred();
  const slow = unary({ request: Text, response: Text }, async ({ text }, call) => {
    if (text === 'quick') return { text: 'done' };
    started.resolve();
    await once(call.signal, 'abort');
    aborted.resolve();
    return {};
  });
  void serveGrpc(server, { methods: new Map([[path, slow]]), logger: silentLogger });
  const client = new GrpcClient(caller);
  const giveUp = new AbortController();
  const answer = client.call(method, {}, { signal: giveUp.signal });
  await started.promise;
  giveUp.abort();
  await assert.rejects(answer);
  await aborted.promise;
  assert.equal((await client.call(method, { text: 'quick' }, { signal })).text, 'done');
  client.destroy();
});

test('a peer that speaks no HTTP/2 ends the connection and nothing else', async () => {
  const [server, caller] = await socketPair();
  caller.on('error', () => undefined);
  const served = serveGrpc(server, { methods: new Map(), logger: silentLogger });
  caller.write('GET / HTTP/1.1\r\n\r\nnonsense nonsense nonsense nonsense\r\n\r\n');
  await served;
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
