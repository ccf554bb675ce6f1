/** Attaching by WebSocket, with a stock client on a real unix socket. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { type ApiOnSocket, apiOnSocket } from '../support/api-fixture.ts';
import { eventually } from '../support/eventually.ts';
import { getOverSocket } from '../support/http-over-socket.ts';

async function container(api: ApiOnSocket, settings: object): Promise<void> {
  await api.backends.containers.create({
    name: 'web',
    platform: undefined,
    config: { Image: 'busybox', ...settings },
    hostConfig: {},
    networkingConfig: {},
  });
}

/** A client that keeps what it is sent, as `binary:…` or `text:…`. */
function attach(api: ApiOnSocket, path: string) {
  const client = new WebSocket(`ws+unix:${api.socketPath}:${path}`);
  const messages: string[] = [];
  client.on('message', (data: Buffer, isBinary) => {
    messages.push(`${isBinary ? 'binary' : 'text'}:${data.toString('utf8')}`);
  });
  const closed = new Promise<number>((resolve) => {
    client.once('close', (code) => resolve(code));
  });
  return { client, messages, closed };
}

test('output comes in binary messages, not multiplexed, and ends with a normal closure', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['err', 'oops'] });
  const query = 'stream=1&stdout=1&stderr=1';
  const { client, messages, closed } = attach(api, `/v1.51/containers/web/attach/ws?${query}`);
  await once(client, 'open');
  await api.backends.containers.start('web');
  assert.equal(await closed, 1000);
  assert.deepEqual(messages, ['binary:oops\n']);
});

test('old versions get text, and all streams without asking', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['cat'], OpenStdin: true });
  const { client, messages, closed } = attach(api, '/v1.27/containers/web/attach/ws?stream=1');
  await once(client, 'open');
  await api.backends.containers.start('web');
  client.send('hello');
  await eventually(() => messages.length > 0);
  assert.deepEqual(messages, ['text:hello']);
  client.close();
  await closed;
});

test('input reaches the process in order, and its end closes stdin', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['count'], OpenStdin: true });
  const { client, closed } = attach(api, '/containers/web/attach/ws?stream=1&stdin=1&stdout=1');
  await once(client, 'open');
  await api.backends.containers.start('web');
  for (let i = 0; i < 100; i++) client.send(Buffer.alloc(1000));
  client.close();
  await closed;
  const { process } = api.backends.containers.find('web');
  assert.equal(await process.exit, 0);
  assert.equal(
    process.log.map(({ data }) => Buffer.from(data).toString()).join(''),
    '100000 bytes\n',
  );
});

test('a client that goes away lets go of the container', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['sleep'] });
  const { client, closed } = attach(api, '/containers/web/attach/ws?stream=1&stdout=1');
  await once(client, 'open');
  const { process } = api.backends.containers.find('web');
  assert.equal(process.readerCount, 1);
  client.terminate();
  await closed;
  await eventually(() => process.readerCount === 0);
});

test('errors before the handshake have their status; a plain request is refused', async () => {
  await using api = await apiOnSocket();
  const { client, closed } = attach(api, '/containers/nope/attach/ws?stream=1');
  const [error] = (await once(client, 'error')) as [Error];
  assert.match(error.message, /404/);
  await closed;
  const plain = await getOverSocket(api.socketPath, '/containers/nope/attach/ws');
  assert.deepEqual(plain, { status: 400, body: '{"message":"not websocket protocol"}' });
});
