import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { type RequestOptions, requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** Sends a request and gives the status with the error's text. */
async function refusal(
  path: string,
  options: RequestOptions,
): Promise<{ status: number; message: string }> {
  const { status, body } = await requestOverSocket(daemon.socketPath, path, options);
  return { status, message: JSON.parse(body).message };
}

const post = (path: string, body: string) =>
  refusal(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

test('JSON that is none is 400 with a text, and creates nothing', async () => {
  for (const body of ['{', '[]', '"x"', '{"Image":7}', `{"Image":"${BUSYBOX}"} {}`]) {
    const { status, message } = await post('/v1.47/containers/create?name=broken', body);
    assert.equal(status, 400, `${body}: ${message}`);
    assert.notEqual(message, '');
  }
  assert.equal(await daemon.ok('ps', '-aq'), '');
});

test('a body of another type is refused', async () => {
  const { status, message } = await refusal('/containers/create', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'text/plain' },
  });
  assert.equal(status, 400);
  assert.match(message, /unsupported Content-Type header \(text\/plain\)/);
});

test('an unknown image is 404, the cue of clients to pull it', async () => {
  const { status, message } = await post('/containers/create', '{"Image":"no/such:thing"}');
  assert.equal(status, 404);
  assert.equal(message, 'No such image: no/such:thing');
});

test('a name in use is 409 in docker’s words', async () => {
  const id = await daemon.ok('create', '--name', 'taken', BUSYBOX);
  const { status, message } = await post('/containers/create?name=taken', `{"Image":"${BUSYBOX}"}`);
  assert.equal(status, 409);
  assert.equal(
    message,
    `Conflict. The container name "/taken" is already in use by container "${id}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );
  await daemon.ok('rm', 'taken');
});

test('paths, methods and versions that do not exist have their own answers', async () => {
  assert.deepEqual(await refusal('/v1.47/no/such/page', {}), {
    status: 404,
    message: 'page not found',
  });
  assert.equal((await refusal('/v1.99/version', {})).status, 400);
  const old = await refusal('/v1.12/version', {});
  assert.match(
    old.message,
    /client version 1\.12 is too old\. Minimum supported API version is 1\.24/,
  );
});

test('a container that does not exist is 404 for every verb', async () => {
  for (const verb of ['start', 'stop', 'kill', 'restart', 'pause', 'wait', 'rename?name=x']) {
    const { status, message } = await refusal(`/containers/nobody/${verb}`, { method: 'POST' });
    assert.deepEqual([status, message], [404, 'No such container: nobody'], verb);
  }
});

test('a filter that is unknown or malformed is 400', async () => {
  const unknown = encodeURIComponent('{"colour":["red"]}');
  assert.match(
    (await refusal(`/containers/json?filters=${unknown}`, {})).message,
    /invalid filter/,
  );
  assert.equal((await refusal('/containers/json?filters=%7B', {})).status, 400);
});

test('what a new container cannot have is 400 in docker’s words', async () => {
  const networks = { EndpointsConfig: { one: {}, two: {} } };
  const cases: readonly (readonly [object, RegExp, string?])[] = [
    [{ HostConfig: { VolumesFrom: ['nobody'] } }, /No such container: nobody/],
    [{ HostConfig: { PidMode: 'container:nobody' } }, /No such container: nobody/],
    [{ HostConfig: { IpcMode: 'container:nobody' } }, /No such container: nobody/],
    [{ HostConfig: { CpuShares: -1 } }, /invalid CPU shares \(-1\): value must be a positive/],
    [{ HostConfig: { Annotations: { '': 'x' } } }, /not permitted as an annotation key/],
    [{ NetworkingConfig: networks }, /multiple network endpoints: one, two/, '/v1.43'],
  ];
  for (const [body, pattern, version = ''] of cases) {
    const json = JSON.stringify({ Image: BUSYBOX, ...body });
    const { status, message } = await post(`${version}/containers/create`, json);
    assert.deepEqual([status, pattern.test(message)], [400, true], message);
  }
});

test('a mount of a path that is not absolute is refused', async () => {
  const { code, stderr } = await daemon.docker('run', '-v', '/a:relative', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /invalid (volume specification|mount)/i);
});

test('a runtime that is unknown is refused by name', async () => {
  const { code, stderr } = await daemon.docker('run', '--runtime', 'oars', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /unknown or invalid runtime name: oars/);
});

test('after all this the engine is well and holds nothing', async () => {
  assert.equal(await daemon.ok('ps', '-aq'), '');
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'echo', 'well'), 'well');
});
