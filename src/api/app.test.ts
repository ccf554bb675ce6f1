import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiInProcess } from '../../test/support/api-fixture.ts';

const CPU_AT_REST = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};
const STATS_AT_REST = {
  name: '/web',
  read: '2024-05-06T07:08:09.123456789Z',
  preread: '0001-01-01T00:00:00Z',
  pids_stats: {},
  blkio_stats: {
    io_service_bytes_recursive: null,
    io_serviced_recursive: null,
    io_queue_recursive: null,
    io_service_time_recursive: null,
    io_wait_time_recursive: null,
    io_merged_recursive: null,
    io_time_recursive: null,
    sectors_recursive: null,
  },
  num_procs: 0,
  storage_stats: {},
  cpu_stats: CPU_AT_REST,
  precpu_stats: CPU_AT_REST,
  memory_stats: {},
};

async function expectTable(
  table: readonly (readonly [request: string, status: number, message: string])[],
): Promise<void> {
  const { call } = apiInProcess();
  for (const [request, status, message] of table) {
    const answer = await call(request);
    assert.equal(answer.status, status, request);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
    assert.deepEqual(answer.json(), { message }, request);
  }
}

test('errors have the statuses and texts that clients know', async () => {
  await expectTable([
    ['POST /containers/nope/start', 404, 'No such container: nope'],
    ['GET /v1.51/containers/nope/json', 404, 'No such container: nope'],
    ['GET /images/nope/json', 404, 'No such image: nope'],
    ['GET /networks/nope', 404, 'network nope not found'],
    ['GET /volumes/nope', 404, 'get nope: no such volume'],
    ['GET /nowhere', 404, 'page not found'],
    ['DELETE /containers/json', 404, 'No such container: json'],
    ['PUT /containers/json', 405, 'method not allowed'],
    ['GET /containers/json?filters={', 400, 'invalid filter'],
    ['GET /containers/json?filters={"x":["y"]}', 400, "invalid filter 'x'"],
    ['GET /containers/json?limit=x', 400, 'invalid value for limit: "x" is not a number'],
    ['POST /containers/x/wait?condition=never', 400, 'invalid condition: "never"'],
    ['GET /containers/x/logs', 400, 'Bad parameters: you must choose at least one stream'],
    ['POST /containers/create', 400, 'invalid JSON: got EOF while reading request body'],
    ['POST /plugins/create', 501, 'POST /plugins/create is not implemented by this engine'],
    ['GET /containers/x/top', 404, 'No such container: x'],
    ['GET /containers/x/stats', 404, 'No such container: x'],
    ['POST /containers/x/update', 400, 'invalid JSON: got EOF while reading request body'],
    [
      'GET /v1.99/info',
      400,
      'client version 1.99 is too new. Maximum supported API version is 1.51',
    ],
    [
      'GET /v1.12/info',
      400,
      'client version 1.12 is too old. Minimum supported API version is 1.24, ' +
        'please upgrade your client to a newer version',
    ],
    [
      'GET /services',
      503,
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to ' +
        'connect this node to swarm and try again.',
    ],
  ]);
});

test('every answer, errors too, says who serves it', async () => {
  const { call } = apiInProcess();
  for (const path of ['/_ping', '/nowhere', '/v1.99/info', '/containers/x/json']) {
    const { headers } = await call(`GET ${path}`);
    assert.equal(headers.get('api-version'), '1.51');
    assert.equal(headers.get('ostype'), 'linux');
    assert.equal(headers.get('docker-experimental'), 'false');
    assert.equal(headers.get('server'), 'Docker/28.5.2 (linux)');
  }
});

test('ping answers GET and HEAD', async () => {
  const { call } = apiInProcess();
  const get = await call('GET /_ping');
  assert.equal(get.text, 'OK');
  const head = await call('HEAD /v1.24/_ping');
  assert.equal(head.status, 200);
  assert.equal(head.text, '');
  assert.equal(head.headers.get('content-length'), '0');
  assert.equal(head.headers.get('builder-version'), '2');
  assert.equal(head.headers.get('swarm'), 'inactive');
});

test('HEAD is served only where the API has it', async () => {
  const { backends, call } = apiInProcess();
  assert.equal((await call('HEAD /v1.51/events')).status, 405);
  assert.equal(backends.system.listenerCount, 0);
  assert.equal((await call('HEAD /containers/x/archive?path=/')).status, 404);
  assert.equal((await call('OPTIONS /v1.51/containers/json')).status, 200);
});

test('a container goes from create to removal', async () => {
  const { call } = apiInProcess();
  const created = await call('POST /v1.51/containers/create?name=web', {
    Image: 'busybox',
    Cmd: ['sleep', '9'],
    HostConfig: { Memory: 5, Binds: ['/a:/b'] },
  });
  assert.equal(created.status, 201);
  const { Id: id } = created.json() as { Id: string };
  assert.equal((await call('POST /containers/web/start')).status, 204);
  assert.equal((await call(`POST /containers/${id.slice(0, 12)}/start`)).status, 304);
  const conflict = await call('DELETE /containers/web');
  assert.equal(conflict.status, 409);
  assert.equal((await call('POST /containers/web/stop?t=0')).status, 204);
  assert.equal((await call('POST /containers/web/stop')).status, 304);
  assert.equal((await call('POST /containers/web/kill')).status, 409);
  assert.equal((await call('DELETE /containers/web?force=1&v=1')).status, 204);
  assert.equal((await call('GET /containers/web/json')).status, 404);
});

test('images are saved by one name or several', async () => {
  const { call } = apiInProcess();
  const one = await call('GET /images/busybox/get');
  assert.deepEqual([one.status, one.text], [200, 'busybox']);
  assert.equal(one.headers.get('content-type'), 'application/x-tar');
  const several = await call('GET /images/get?names=busybox&names=busybox:latest');
  assert.equal(several.text, 'busybox busybox:latest');
  assert.equal((await call('GET /images/get?names=busybox,none')).status, 404);
  assert.equal((await call('GET /images/get')).status, 400);
});

test('an import says the id of its image', async () => {
  const { backends, call } = apiInProcess();
  const query = 'fromSrc=-&repo=a&tag=b&message=c&changes=CMD%20d&platform=linux/arm64';
  const answer = await call(`POST /images/create?${query}`, {});
  assert.match(answer.text, /^\{"status":"sha256:[0-9a-f]{64}"\}\r\n$/);
  assert.deepEqual(backends.images.imported?.request, {
    target: { repository: 'a', tag: 'b' },
    message: 'c',
    changes: ['CMD d'],
    platform: 'linux/arm64',
  });
  const ofUrl = await call('POST /images/create?fromSrc=http://x/y', {});
  assert.match(ofUrl.text, /^\{"status":"Downloading from http:\/\/x\/y"\}\r\n\{"status":"sha256:/);
});

test('manifests of an image are told to clients that know of them, and never with a platform', async () => {
  const { call } = apiInProcess();
  const keys = async (path: string) => {
    const answer = (await call(`GET ${path}`)).json() as object;
    return Object.keys((Array.isArray(answer) ? answer[0] : answer) as object);
  };
  assert.ok((await keys('/v1.48/images/busybox/json?manifests=1')).includes('Manifests'));
  assert.ok(!(await keys('/v1.47/images/busybox/json?manifests=1')).includes('Manifests'));
  assert.ok((await keys('/v1.47/images/json?manifests=1')).includes('Manifests'));
  assert.ok(!(await keys('/v1.46/images/json?manifests=1')).includes('Manifests'));
  const platform = encodeURIComponent('{"os":"linux","architecture":"amd64"}');
  const both = await call(`GET /v1.49/images/busybox/json?manifests=1&platform=${platform}`);
  assert.equal(both.status, 400);
});

test('an image is removed for the platforms that a client of API 1.50 names', async () => {
  const { call } = apiInProcess();
  const query = ['amd64', 'arm64']
    .map((architecture) => encodeURIComponent(JSON.stringify({ os: 'linux', architecture })))
    .map((platform) => `platforms=${platform}`);
  const both = `images/busybox?${query.join('&')}`;
  assert.equal((await call(`DELETE /v1.50/${both}`)).status, 404);
  assert.equal((await call('DELETE /v1.50/images/busybox?platforms=amd64')).status, 400);
  assert.equal((await call(`DELETE /v1.50/images/busybox?${query[0]}`)).status, 200);
  await call('POST /images/create?fromImage=busybox');
  assert.equal((await call(`DELETE /v1.49/${both}`)).status, 200);
});

test('a body of another type, or with more than one value, is refused', async () => {
  const { call } = apiInProcess();
  const odd = await call('POST /containers/create', { Image: 'busybox', Cmd: 7 });
  assert.equal(odd.status, 400);
  assert.match((odd.json() as { message: string }).message, /^invalid JSON: Cmd: /);
  const missing = await call('POST /containers/create', { Image: 'missing' });
  assert.deepEqual(missing.json(), { message: 'No such image: missing:latest' });
  assert.equal(missing.status, 404);
});

test('starting with a body is refused, an empty object is not', async () => {
  const { call } = apiInProcess();
  await call('POST /containers/create?name=web', { Image: 'busybox', Cmd: ['true'] });
  assert.equal((await call('POST /containers/web/start', { Memory: 5 })).status, 400);
  assert.equal((await call('POST /containers/web/start', {})).status, 204);
});

test('image names keep their slashes and may be percent-encoded', async () => {
  const { call } = apiInProcess();
  await call('POST /images/busybox/tag?repo=localhost:5000/a/b&tag=1');
  for (const name of ['localhost:5000/a/b:1', 'localhost%3A5000%2Fa%2Fb:1']) {
    assert.equal((await call(`GET /v1.44/images/${name}/json`)).status, 200, name);
  }
  assert.equal((await call('GET /images/localhost:5000/a/b:1/history')).status, 200);
});

test('a push sends its lines, and a search its results', async () => {
  const { call } = apiInProcess();
  const pushed = await call('POST /images/busybox/push?tag=latest');
  assert.match(pushed.text, /The push refers to repository .*\r\n.*"Tag":"latest"/s);
  const bad = await call('POST /images/busybox/push?platform=linux');
  assert.equal(bad.status, 400);
  const found = await call('GET /images/search?term=busy&limit=5');
  assert.equal((found.json() as { star_count: number }[])[0]?.star_count, 3);
  assert.equal((await call('GET /images/search')).status, 400);
  assert.equal((await call('GET /images/search?term=busy&limit=five')).status, 400);
  const remote = await call('GET /distribution/busybox/json');
  const { Platforms } = remote.json() as { Platforms: unknown };
  assert.deepEqual(Platforms, [{ os: 'linux', architecture: 'amd64' }]);
});

test('a pull that fails before any output has a status, one that fails later a last line', async () => {
  const { call } = apiInProcess();
  const refused = await call('POST /images/create?fromImage=private&tag=latest');
  assert.equal(refused.status, 404);
  const torn = await call('POST /images/create?fromImage=torn&tag=latest');
  assert.equal(torn.status, 200);
  assert.deepEqual(
    torn.text
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line)),
    [
      { status: 'Pulling fs layer', id: 'abc' },
      {
        errorDetail: { message: 'unexpected end of layer' },
        error: 'unexpected end of layer',
      },
    ],
  );
});

test('events end at their time and carry old and new fields', async () => {
  const { backends, call } = apiInProcess();
  const over = await call('GET /events?until=1700000000');
  assert.equal(over.text, '');
  const bad = await call('GET /events?filters={"nope":["x"]}');
  assert.deepEqual([bad.status, bad.json()], [400, { message: "invalid filter 'nope'" }]);
  assert.equal(backends.system.listenerCount, 0);
});

test('waiting answers with the exit code at the end', async () => {
  const { call } = apiInProcess();
  await call('POST /containers/create?name=web', { Image: 'busybox', Cmd: ['exit', '3'] });
  const waiting = call('POST /containers/web/wait?condition=next-exit');
  await call('POST /containers/web/start');
  assert.deepEqual((await waiting).json(), { StatusCode: 3 });
});

test('credentials are checked', async () => {
  const { call } = apiInProcess();
  const good = await call('POST /auth', { username: 'me', password: 'x', serveraddress: 'r' });
  assert.deepEqual(good.json(), { Status: 'Login Succeeded', IdentityToken: '' });
  assert.equal((await call('POST /auth', { username: 'you' })).status, 401);
});

test('logs are framed and may carry times', async () => {
  const { backends, call } = apiInProcess();
  await call('POST /containers/create?name=web', { Image: 'busybox', Cmd: ['echo', 'hi'] });
  await call('POST /containers/web/start');
  await backends.containers.find('web').process.exit;
  const plain = await call('GET /containers/web/logs?stdout=1&tail=all');
  assert.equal(plain.headers.get('content-type'), 'application/vnd.docker.multiplexed-stream');
  assert.equal(plain.text, '\x01\0\0\0\0\0\0\x03hi\n');
  const old = await call('GET /v1.41/containers/web/logs?stdout=1&timestamps=1');
  assert.equal(old.headers.get('content-type'), 'application/vnd.docker.raw-stream');
  assert.match(old.text, /2024-05-06T07:08:09\.123456789Z hi\n$/);
});

test('a container is looked into and changed', async () => {
  const { call } = apiInProcess();
  await call('POST /containers/create?name=web', { Image: 'busybox', Cmd: ['sleep'] });
  assert.equal((await call('GET /containers/web/top')).status, 409);
  assert.deepEqual((await call('GET /containers/web/stats?stream=0')).json(), {
    ...STATS_AT_REST,
    id: ((await call('GET /containers/web/json')).json() as { Id: string }).Id,
  });
  await call('POST /containers/web/start');
  const top = await call('GET /containers/web/top?ps_args=-o%20pid');
  assert.deepEqual(top.json(), { Titles: ['PID', 'CMD'], Processes: [['42', 'ps -o pid']] });
  const stream = await call('GET /containers/web/stats');
  assert.equal(stream.text.trim().split('\n').length, 2);
  const change = { RestartPolicy: { Name: 'always' }, Binds: ['/a:/b'], memory: 7 };
  assert.deepEqual((await call('POST /containers/web/update', change)).json(), {
    Warnings: ['Memory', 'RestartPolicy'],
  });
});

test('the other nouns answer in Docker’s shapes', async () => {
  const { call } = apiInProcess();
  const volume = (await call('POST /volumes/create', { Name: 'data' })).json();
  assert.deepEqual(volume, {
    CreatedAt: '2024-05-06T07:08:09.123456789Z',
    Driver: 'local',
    Labels: null,
    Mountpoint: '/volumes/data/_data',
    Name: 'data',
    Options: null,
    Scope: 'local',
  });
  assert.equal((await call('POST /volumes/create')).status, 201);
  assert.equal((await call('DELETE /volumes/data')).status, 204);
  assert.equal((await call('DELETE /volumes/data?force=1')).status, 204);
  assert.equal((await call('GET /networks/')).status, 200);
  assert.equal((await call('GET /networks/bridge')).status, 200);
  assert.deepEqual((await call('GET /plugins')).json(), []);
  const usage = (await call('GET /system/df?type=image')).json() as Record<string, unknown>;
  assert.equal(usage['LayersSize'], 7);
  assert.equal(usage['Volumes'], null);
  assert.equal((await call('GET /system/df?type=moon')).status, 400);
  const pruned = (await call('POST /containers/prune')).json();
  assert.deepEqual(pruned, { ContainersDeleted: [], SpaceReclaimed: 0 });
});

test('caches are shown and cleared within the limits that a client gives', async () => {
  const { call, backends } = apiInProcess();
  const usage = (await call('GET /system/df?type=build-cache')).json() as {
    BuildCache: readonly Record<string, unknown>[];
  };
  const [{ ID, Size, Shared, LastUsedAt } = {}] = usage.BuildCache;
  assert.deepEqual([ID, Size, Shared], ['kept', 3, true]);
  assert.equal(LastUsedAt, '1970-01-01T00:00:01.000000000Z');
  const query = 'all=1&keep-storage=10&min-free-space=20&filters={"type":["regular"]}';
  const pruned = (await call(`POST /build/prune?${query}`)).json();
  assert.deepEqual(pruned, { CachesDeleted: ['gone'], SpaceReclaimed: 5 });
  await call('POST /build/prune?filters=');
  assert.deepEqual(backends.caches.prunes, [
    {
      all: true,
      filters: new Map([['type', ['regular']]]),
      reservedSpace: { bytes: 10 },
      minFreeSpace: { bytes: 20 },
    },
    { all: false, filters: new Map() },
  ]);
});
