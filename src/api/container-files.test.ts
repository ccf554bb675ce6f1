import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { fakeBackends } from '../../test/support/fake-backends.ts';
import { systemClock } from '../shared/clock.ts';
import { silentLogger } from '../shared/logger.ts';
import { createApp } from './app.ts';

async function api() {
  const backends = fakeBackends();
  await backends.containers.create({
    name: 'web',
    platform: undefined,
    config: { Image: 'busybox' },
    hostConfig: {},
    networkingConfig: {},
  });
  const facts = { serverVersion: '1', storageDriver: 'overlay' };
  const app = createApp({ backends, facts, clock: systemClock, logger: silentLogger });
  const call = async (path: string, init?: RequestInit) =>
    app.request(`/v1.51/containers/${path}`, init);
  return { backends, call };
}

const statOf = (answer: Response) =>
  JSON.parse(
    Buffer.from(answer.headers.get('x-docker-container-path-stat') ?? '', 'base64').toString(),
  ) as unknown;

test('a path is described in a header, with modes as Go has them', async () => {
  const { call } = await api();
  const answer = await call('web/archive?path=/dir', { method: 'HEAD' });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), '');
  assert.deepEqual(statOf(answer), {
    name: 'dir',
    size: 4096,
    mode: 2 ** 31 + 2 ** 20 + 0o777,
    mtime: '2024-05-06T07:08:09.123456789Z',
    linkTarget: '',
  });
});

test('an archive comes plain, or packed for those who take that', async () => {
  const { call } = await api();
  const plain = await call('web/archive?path=/file');
  assert.equal(plain.headers.get('content-type'), 'application/x-tar');
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.equal(await plain.text(), 'an archive');
  const packed = await call('web/archive?path=/file', {
    headers: { 'accept-encoding': 'deflate, gzip;q=0.8' },
  });
  assert.equal(packed.headers.get('content-encoding'), 'gzip');
  assert.equal(gunzipSync(await packed.arrayBuffer()).toString(), 'an archive');
  const refused = await call('web/archive?path=/file', {
    headers: { 'accept-encoding': 'gzip;q=0' },
  });
  assert.equal(refused.headers.get('content-encoding'), null);
});

test('an upload is passed on with its options', async () => {
  const { backends, call } = await api();
  const query = 'web/archive?path=/dir&noOverwriteDirNonDir=true&copyUIDGID=1';
  const answer = await call(query, {
    method: 'PUT',
    body: 'twelve bytes',
    headers: { 'content-type': 'text/plain' },
  });
  assert.deepEqual([answer.status, await answer.text()], [200, '']);
  assert.deepEqual(backends.containerFiles.extracted, {
    request: { ref: 'web', path: '/dir', noOverwriteDirNonDir: true, copyUidGid: true },
    bytes: 12,
  });
});

test('changes have the numbers of the reference', async () => {
  const { call } = await api();
  assert.deepEqual(await (await call('web/changes')).json(), [
    { Path: '/etc', Kind: 0 },
    { Path: '/etc/new', Kind: 1 },
    { Path: '/etc/old', Kind: 2 },
  ]);
});

test('a commit pauses unless told otherwise, and its instructions come in order', async () => {
  const { backends, call } = await api();
  const post = (query: string, init: RequestInit = {}) =>
    call(`../commit?${query}`, { method: 'POST', ...init });
  const answer = await post('container=web&repo=me/x&tag=1&changes=CMD%20a&changes=USER%20b');
  assert.equal(answer.status, 201);
  assert.match(await answer.text(), /^\{"Id":"sha256:[0-9a-f]{64}"\}$/);
  assert.deepEqual(backends.containerFiles.committed, {
    ref: 'web',
    target: { repository: 'me/x', tag: '1' },
    comment: '',
    author: '',
    pause: true,
    changes: ['CMD a', 'USER b'],
    config: undefined,
  });
  await post('container=web&pause=0&comment=c&author=a', {
    body: '{"Env":["A=1"]}',
    headers: { 'content-type': 'application/json' },
  });
  const { target, pause, config } = backends.containerFiles.committed ?? {};
  assert.deepEqual([target, pause, config], [undefined, false, { Env: ['A=1'] }]);
  assert.equal((await post('container=none')).status, 404);
  assert.equal((await post('repo=x')).status, 400);
});

test('an export is a stream of bytes', async () => {
  const { call } = await api();
  const answer = await call('web/export');
  assert.equal(answer.headers.get('content-type'), 'application/octet-stream');
  assert.equal(await answer.text(), 'an archive');
});

test('each failure has its status', async () => {
  const { call } = await api();
  const cases: [string, string, number, string][] = [
    ['GET', 'web/archive', 400, 'missing parameter: path'],
    ['GET', 'web/archive?path=/x', 404, 'Could not find the file /x in container web'],
    ['GET', 'nope/archive?path=/x', 404, 'No such container: nope'],
    ['PUT', 'web/archive?path=/file', 400, 'extraction point is not a directory'],
    ['GET', 'nope/export', 404, 'No such container: nope'],
  ];
  for (const [method, path, status, message] of cases) {
    const answer = await call(path, { method });
    assert.deepEqual([answer.status, await answer.json()], [status, { message }], path);
  }
  const head = await call('web/archive?path=/x', { method: 'HEAD' });
  assert.equal(head.status, 404);
});
