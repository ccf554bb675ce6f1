/** The API on a real unix socket, spoken to byte by byte. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { FrameDecoder } from '../../src/wire/stdcopy.ts';
import { type ApiOnSocket, apiOnSocket, RawClient } from '../support/api-fixture.ts';

const HOST = 'Host: docker';
const UPGRADE = ['Connection: Upgrade', 'Upgrade: tcp'];

async function container(api: ApiOnSocket, settings: object): Promise<void> {
  await api.backends.containers.create({
    name: 'web',
    platform: undefined,
    config: { Image: 'busybox', ...settings },
    hostConfig: {},
    networkingConfig: {},
  });
}

async function runningWithExec(
  api: ApiOnSocket,
  args: readonly string[],
  options: { tty?: boolean; stdin?: boolean } = {},
): Promise<string> {
  await container(api, { Cmd: ['sleep'] });
  await api.backends.containers.start('web');
  const { id } = await api.backends.exec.create('web', {
    args,
    env: [],
    workingDir: undefined,
    user: undefined,
    privileged: false,
    tty: options.tty ?? false,
    attachStdin: options.stdin ?? false,
    attachStdout: true,
    attachStderr: true,
    detachKeys: undefined,
    consoleSize: undefined,
  });
  return id;
}

/** Head and body of what a server sent. */
function split(answer: Buffer): { head: string; body: Buffer } {
  const at = answer.indexOf('\r\n\r\n');
  return { head: answer.subarray(0, at).toString('latin1'), body: answer.subarray(at + 4) };
}

const frames = (body: Buffer) =>
  new FrameDecoder()
    .push(body)
    .map(({ stream, data }) => `${stream}:${Buffer.from(data).toString('utf8')}`);

test('attach to a created container blocks, then streams frames and ends with the process', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['err', 'oops'] });
  const client = new RawClient(api.socketPath);
  client.send(
    'POST /v1.51/containers/web/attach?stream=1&stdout=1&stderr=1 HTTP/1.1',
    HOST,
    ...UPGRADE,
    'Content-Type: text/plain',
    'Content-Length: 0',
    '',
    '',
  );
  await client.until('\r\n\r\n');
  await api.backends.containers.start('web');
  const { head, body } = split(await client.toEnd());
  assert.equal(
    head,
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n' +
      'Connection: Upgrade\r\nUpgrade: tcp',
  );
  assert.deepEqual(frames(body), ['stderr:oops\n']);
});

test('the client’s end of input reaches the process while its output goes on', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['count'], OpenStdin: true, Tty: true });
  await api.backends.containers.start('web');
  const client = new RawClient(api.socketPath);
  client.send(
    'POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1',
    HOST,
    ...UPGRADE,
    '',
    'hello',
  );
  client.socket.end();
  const { head, body } = split(await client.toEnd());
  assert.match(head, /Content-Type: application\/vnd\.docker\.raw-stream/);
  assert.equal(body.toString(), '5 bytes\n');
});

test('exec start reads a body of declared length exactly and takes the rest as input', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['cat'], { stdin: true });
  const client = new RawClient(api.socketPath);
  const json = '{"Detach":false,"Tty":false}';
  client.send(
    `POST /v1.41/exec/${id}/start HTTP/1.1`,
    HOST,
    ...UPGRADE,
    'Content-Type: application/json',
    `Content-Length: ${json.length}`,
    '',
    `${json}POST /containers/web/kill HTTP/1.1`,
    '',
    '',
  );
  client.socket.end();
  const { head, body } = split(await client.toEnd());
  assert.match(
    head,
    /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream/,
  );
  assert.match(head, /\r\nApi-Version: 1\.51\r\n/);
  assert.deepEqual(frames(body), ['stdout:POST /containers/web/kill HTTP/1.1\r\n\r\n']);
  assert.equal((await api.backends.containers.inspect('web')).document.status.state, 'running');
});

test('exec start reads a chunked body, however it is cut, and not one byte more', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['cat'], { stdin: true, tty: true });
  const client = new RawClient(api.socketPath);
  const request = [
    `POST /exec/${id}/start HTTP/1.1`,
    HOST,
    ...UPGRADE,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    '',
    '8;ext=1',
    '{"Detach',
    '13',
    '":false,"Tty":true}',
    '0',
    'Trailer: x',
    '',
    'input',
  ].join('\r\n');
  for (const character of request) {
    client.socket.write(character);
    await new Promise(setImmediate);
  }
  await client.until('input');
  client.socket.end();
  assert.equal(split(await client.toEnd()).body.toString(), 'input');
});

test('without an upgrade the answer is 200 and raw bytes without chunking', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['cat'], { stdin: true, tty: true });
  const client = new RawClient(api.socketPath);
  client.send(
    `POST /exec/${id}/start HTTP/1.1`,
    HOST,
    'Content-Type: application/json',
    'Content-Length: 12',
    '',
    '{"Tty":true}GET /_ping HTTP/1.1',
    '',
    '',
  );
  client.socket.end();
  const { head, body } = split(await client.toEnd());
  assert.match(
    head,
    /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/,
  );
  assert.doesNotMatch(head, /chunked|content-length/i);
  assert.equal(body.toString(), 'GET /_ping HTTP/1.1\r\n\r\n');
});

test('a keep-alive connection can be taken over after ordinary requests', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['echo', 'hi'], { tty: true });
  const client = new RawClient(api.socketPath);
  client.send('GET /_ping HTTP/1.1', HOST, '', '');
  await client.until('OK');
  client.send(`POST /exec/${id}/start HTTP/1.1`, HOST, 'Content-Length: 0', '', '');
  assert.match((await client.toEnd()).toString(), /raw-stream\r\n[\s\S]*\r\n\r\n[\s\S]*hi\n$/);
});

test('output of a session is framed as its start says, whether or not it has a terminal', async () => {
  await using api = await apiOnSocket();
  const start = async (options: { tty: boolean }, body: string) => {
    const id = await runningWithExec(api, ['echo', 'hi'], options);
    const client = new RawClient(api.socketPath);
    const length = `Content-Length: ${body.length}`;
    const json = 'Content-Type: application/json';
    client.send(`POST /exec/${id}/start HTTP/1.1`, HOST, json, length, '', body);
    client.socket.end();
    return split(await client.toEnd()).body;
  };
  assert.deepEqual(frames(await start({ tty: true }, '{"Tty":false}')), ['stdout:hi\n']);
  assert.equal((await start({ tty: false }, '{"Tty":true}')).toString(), 'hi\n');
});

test('errors before the stream are ordinary answers', async () => {
  await using api = await apiOnSocket();
  const cases = [
    [
      '/v1.51/containers/nope/attach?stream=1',
      '',
      /^HTTP\/1\.1 404 Not Found[\s\S]*No such container: nope/,
    ],
    ['/v1.99/containers/nope/attach', '', /^HTTP\/1\.1 400 Bad Request[\s\S]*is too new/],
    ['/exec/nope/start', '{"Detach":', /^HTTP\/1\.1 400 [\s\S]*invalid JSON/],
    ['/exec/nope/start', '{}', /^HTTP\/1\.1 404 [\s\S]*No such exec instance: nope/],
  ] as const;
  for (const [path, body, expected] of cases) {
    const client = new RawClient(api.socketPath);
    client.send(
      `POST ${path} HTTP/1.1`,
      HOST,
      ...UPGRADE,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      '',
      body,
    );
    assert.match((await client.toEnd()).toString(), expected);
  }
});

test('malformed framing and other content types are refused', async () => {
  await using api = await apiOnSocket();
  const chunked = new RawClient(api.socketPath);
  chunked.send('POST /exec/x/start HTTP/1.1', HOST, 'Transfer-Encoding: chunked', '', 'zz', '{}');
  assert.match((await chunked.toEnd()).toString(), /^HTTP\/1\.1 400 [\s\S]*is no chunk size/);
  const plain = new RawClient(api.socketPath);
  plain.send(
    'POST /exec/x/start HTTP/1.1',
    HOST,
    'Content-Type: text/plain',
    'Content-Length: 2',
    '',
    '{}',
  );
  assert.match((await plain.toEnd()).toString(), /unsupported Content-Type header \(text\/plain\)/);
});

test('a command that cannot start says so in the stream', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['nonsense']);
  const client = new RawClient(api.socketPath);
  client.send(`POST /exec/${id}/start HTTP/1.1`, HOST, ...UPGRADE, 'Content-Length: 0', '', '');
  const { head, body } = split(await client.toEnd());
  assert.match(head, /^HTTP\/1\.1 101/);
  assert.deepEqual(frames(body), ['stdout:exec: "nonsense": executable file not found\r\n']);
});

test('a detached exec answers 200 with nothing', async () => {
  await using api = await apiOnSocket();
  const id = await runningWithExec(api, ['true']);
  const client = new RawClient(api.socketPath);
  const json = '{"Detach":true}';
  client.send(
    `POST /exec/${id}/start HTTP/1.1`,
    HOST,
    'Content-Type: application/json',
    `Content-Length: ${json.length}`,
    '',
    json,
  );
  const { head, body } = split(await client.toEnd());
  assert.match(head, /^HTTP\/1\.1 200 OK[\s\S]*Content-Length: 0/);
  assert.equal(body.length, 0);
});

test('output that breaks breaks the connection', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['boom'], Tty: true });
  const client = new RawClient(api.socketPath);
  client.send('POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1', HOST, ...UPGRADE, '', '');
  await client.toEnd();
  assert.equal(client.socket.destroyed, true);
});

test('a client that vanishes is let go of', async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['sleep'] });
  await api.backends.containers.start('web');
  const { process } = api.backends.containers.find('web');
  const client = new RawClient(api.socketPath);
  client.send('POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1', HOST, ...UPGRADE, '', '');
  await client.until('101');
  client.socket.destroy();
  while (process.readerCount > 0) await process.write('stdout', Buffer.from('still there?'));
  assert.equal(process.readerCount, 0);
});

test('a hundred megabytes go through cat and come back whole', { timeout: 60_000 }, async () => {
  await using api = await apiOnSocket();
  await container(api, { Cmd: ['cat'], OpenStdin: true, Tty: true });
  await api.backends.containers.start('web');
  const client = new RawClient(api.socketPath);
  client.socket.removeAllListeners('data');
  const received = createHash('sha256');
  let head = '';
  const done = new Promise<void>((resolve) => client.socket.on('end', resolve));
  client.socket.on('data', (chunk: Buffer) => {
    if (head !== '') return void received.update(chunk);
    const { head: first, body } = split(chunk);
    head = first;
    received.update(body);
  });
  client.send(
    'POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1',
    HOST,
    ...UPGRADE,
    '',
    '',
  );
  const sent = createHash('sha256');
  for (let index = 0; index < 100; index++) {
    const block = Buffer.alloc(1 << 20, index);
    sent.update(block);
    if (!client.socket.write(block)) {
      await new Promise((resolve) => client.socket.once('drain', resolve));
    }
  }
  client.socket.end();
  await done;
  assert.match(head, /101 UPGRADED/);
  assert.equal(received.digest('hex'), sent.digest('hex'));
});
