/** Long answers over a real unix socket: headers first, hang-ups noticed, failures visible. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApiOnSocket, apiOnSocket, RawClient } from '../support/api-fixture.ts';
import { eventually } from '../support/eventually.ts';

const HOST = 'Host: docker';

async function container(api: ApiOnSocket, args: readonly string[]): Promise<void> {
  await api.backends.containers.create({
    name: 'web',
    platform: undefined,
    config: { Image: 'busybox', Cmd: args },
    hostConfig: {},
    networkingConfig: {},
  });
}

test('the headers of events come before the first event', async () => {
  await using api = await apiOnSocket();
  const client = new RawClient(api.socketPath);
  client.send('GET /v1.51/events HTTP/1.1', HOST, '', '');
  const head = await client.until('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK/);
  api.backends.system.publish({
    type: 'container',
    action: 'start',
    actorId: 'abc',
    attributes: { image: 'busybox', name: 'web' },
    timeNano: 1_700_000_000_123_456_789n,
  });
  const text = await client.until('timeNano');
  const line = text.split('\r\n').find((part) => part.startsWith('{')) ?? '';
  assert.equal(
    line,
    '{"status":"start","id":"abc","from":"busybox","Type":"container","Action":"start",' +
      '"Actor":{"ID":"abc","Attributes":{"image":"busybox","name":"web"}},"scope":"local",' +
      '"time":1700000000,"timeNano":1700000000123456789}\n',
  );
  client.socket.destroy();
  await eventually(() => api.backends.system.listenerCount === 0);
});

test('a wait sends its headers at once and its result at the end', async () => {
  await using api = await apiOnSocket();
  await container(api, ['exit', '5']);
  const client = new RawClient(api.socketPath);
  client.send('POST /containers/web/wait?condition=next-exit HTTP/1.1', HOST, '', '');
  await client.until('\r\n\r\n');
  await api.backends.containers.start('web');
  assert.match(await client.until('StatusCode'), /\{"StatusCode":5\}/);
  client.socket.destroy();
});

test('a client that hangs up ends its wait', async () => {
  await using api = await apiOnSocket();
  await container(api, ['sleep']);
  const client = new RawClient(api.socketPath);
  client.send('POST /containers/web/wait HTTP/1.1', HOST, '', '');
  await client.until('\r\n\r\n');
  assert.equal(api.backends.containers.waiting, 1);
  client.socket.destroy();
  await eventually(() => api.backends.containers.waiting === 0);
});

test('a log that breaks breaks the connection instead of ending it', async () => {
  await using api = await apiOnSocket();
  await container(api, ['sleep']);
  const { containers } = api.backends;
  async function* entries() {
    yield [{ time: '2024-01-01T00:00:00Z', stream: 'stdout' as const, data: Buffer.from('one\n') }];
    throw new Error('the disk went away');
  }
  containers.logs = () => Promise.resolve({ tty: true, entries: entries(), attributes: '' });
  const client = new RawClient(api.socketPath);
  client.send('GET /containers/web/logs?stdout=1 HTTP/1.1', HOST, '', '');
  const answer = (await client.toEnd()).toString();
  assert.doesNotMatch(answer, /\r\n0\r\n\r\n$/);
});

test('an archive of unknown length is loaded as it arrives', async () => {
  await using api = await apiOnSocket();
  const client = new RawClient(api.socketPath);
  client.send(
    'POST /images/load?quiet=1 HTTP/1.1',
    HOST,
    'Content-Type: application/x-tar',
    'Transfer-Encoding: chunked',
    '',
    '5',
    'hello',
    '0',
    '',
    '',
  );
  assert.match(await client.until('Loaded'), /\{"stream":"Loaded image: archive:5\\n"\}\r\n/);
  client.socket.destroy();
});

test('what is wrong with an archive is said in the stream, as dockerd does', async () => {
  await using api = await apiOnSocket();
  const client = new RawClient(api.socketPath);
  client.send('POST /images/load HTTP/1.1', HOST, 'Content-Length: 2', '', '\0\0');
  assert.match(await client.until('errorDetail'), /^HTTP\/1\.1 200[\s\S]*"error":"not an archive"/);
  client.socket.destroy();
});

test('any Host header will do, and HEAD has no body', async () => {
  await using api = await apiOnSocket();
  const client = new RawClient(api.socketPath);
  client.send('HEAD /_ping HTTP/1.1', 'Host: %2Fvar%2Frun%2Fdocker.sock', '', '');
  const head = await client.until('\r\n\r\n');
  assert.match(head, /^HTTP\/1\.1 200 OK/);
  assert.match(head, /content-length: 0/i);
  assert.match(head, /api-version: 1\.51/i);
  client.send('GET /_ping HTTP/1.1', HOST, 'Connection: close', '', '');
  assert.match((await client.toEnd()).toString(), /\r\n\r\nOK$/);
});

test('what is no request target is refused in the usual form', async () => {
  await using api = await apiOnSocket();
  const client = new RawClient(api.socketPath);
  client.send('CONNECT nowhere:1 HTTP/1.1', HOST, '', '');
  assert.match(await client.until('message'), /^HTTP\/1\.1 400[\s\S]*\{"message":"[^"]+"\}/);
  client.socket.destroy();
});
