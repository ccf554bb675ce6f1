/** Builds as events in the life of an engine: cached, shared, left, killed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { tarOf } from '../../scripts/image/tar-of.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon({ env: { DOCKER_BUILDKIT: '0' } });
after(() => daemon[Symbol.asyncDispose]());

/** Makes a context and returns its directory. */
function context(name: string, files: Readonly<Record<string, string>>): string {
  const dir = join(daemon.home.root, name);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), content);
  }
  return dir;
}

/** Directories of the engine that belong to running builds, and what they have running. */
async function leftovers(): Promise<readonly string[]> {
  const data = join(daemon.home.dataDir, 'wherry');
  const runtime = join(daemon.home.runtimeDir, 'wherry');
  const dirs = [
    join(data, 'builds'),
    join(data, 'snapshots/overlay/active'),
    join(runtime, 'containers'),
    join(runtime, 'sandboxes'),
    join(runtime, 'build-secrets'),
  ];
  return dirs.flatMap((dir) => readdirSync(dir).map((name) => join(dir, name)));
}

const cleared = () =>
  eventually(async () => (await leftovers()).length === 0, { withinMs: 15_000 });

test('the same build again comes from the cache, also by the next engine, until it is pruned', async () => {
  const dir = context('cached', {
    Dockerfile: `FROM ${BUSYBOX}\nCOPY a /a\nRUN echo x >/b`,
    a: 'A',
  });
  const first = await daemon.ok('build', '-q', dir);
  assert.match(first, /^sha256:[0-9a-f]{64}$/);
  assert.equal(await daemon.ok('build', '-q', dir), first);
  await daemon.crashEngine();
  const again = await daemon.ok('build', '-t', 'named', dir);
  assert.equal(again.match(/Using cache/g)?.length, 2);
  assert.match(again, /Successfully tagged named:latest$/);
  assert.equal(await daemon.ok('inspect', '-f', '{{.Id}}', 'named'), first);
  assert.match(await daemon.ok('build', '--no-cache', dir), /Running in/);

  const usage = (await daemon.get('/system/df?type=build-cache')) as { BuildCache: object[] };
  assert.ok(usage.BuildCache.length >= 2);
  await daemon.ok('builder', 'prune', '-af');
  assert.doesNotMatch(await daemon.ok('build', dir), /Using cache/);
  await cleared();
});

test('a change of one file makes only what depends on it anew', async () => {
  const text = `FROM ${BUSYBOX}\nCOPY a /\nRUN true a\nCOPY b /\nRUN cat /a /b`;
  const dir = context('changed', { Dockerfile: text, a: '1', b: '1' });
  await daemon.ok('build', dir);
  writeFileSync(join(dir, 'b'), '2');
  assert.equal((await daemon.ok('build', dir)).match(/Using cache/g)?.length, 2);
});

test('COPY --link finds its layer again when what it is put on has changed', async () => {
  const dir = context('linked', { a: 'A', Dockerfile: '' });
  const build = async (base: string) => {
    const text = `FROM ${BUSYBOX}\nRUN echo ${base} >/base\nCOPY --link a /x/a\nRUN cat /base /x/a`;
    writeFileSync(join(dir, 'Dockerfile'), text);
    return await daemon.ok('build', '-t', `linked:${base}`, dir);
  };
  const layersOf = async (base: string) =>
    JSON.parse(await daemon.ok('inspect', '-f', '{{json .RootFS.Layers}}', `linked:${base}`));
  await build('one');
  assert.match(await build('two'), /COPY --link[^\n]*\n ---> Using cache/);
  const [one, two] = [await layersOf('one'), await layersOf('two')];
  assert.notEqual(one.at(-2), two.at(-2));
  assert.equal(one.at(-1), two.at(-1));
});

test('builds of the same at the same time do the work once', async () => {
  const text = `FROM ${BUSYBOX}\nRUN --mount=type=cache,target=/c,id=count sh -c 'echo x >>/c/runs; sleep 1'`;
  const dir = context('shared', { Dockerfile: text });
  const ids = await Promise.all(Array.from({ length: 6 }, () => daemon.ok('build', '-q', dir)));
  assert.equal(new Set(ids).size, 1);
  const count = context('count', {
    Dockerfile: `FROM ${BUSYBOX}\nRUN --mount=type=cache,target=/c,id=count test "$(wc -l </c/runs)" = 1`,
  });
  await daemon.ok('build', count);
});

test('stages that do not need each other run side by side', async () => {
  const wait = (own: string, other: string) =>
    `RUN --mount=type=cache,target=/c,id=meet touch /c/${own}; until [ -e /c/${other} ]; do sleep 0.1; done`;
  const text = `FROM ${BUSYBOX} AS one\n${wait('a', 'b')}\nFROM ${BUSYBOX} AS two\n${wait('b', 'a')}\nFROM ${BUSYBOX}\nCOPY --from=one /bin/busybox /1\nCOPY --from=two /bin/busybox /2`;
  await daemon.ok('build', context('meet', { Dockerfile: text }));
});

test('a client that leaves ends the build, and nothing of it stays', async () => {
  const text = `FROM ${BUSYBOX}\nRUN echo begun; sleep 1000`;
  await using client = daemon.watch({}, 'build', context('left', { Dockerfile: text }));
  await client.printed(/begun/);
  client.kill('SIGKILL');
  await cleared();
});

test('an engine that is killed while it builds leaves nothing to the next one', async () => {
  const text = `FROM ${BUSYBOX}\nRUN echo begun; sleep 1000`;
  await using client = daemon.watch(
    {},
    'build',
    '--no-cache',
    context('killed', { Dockerfile: text }),
  );
  await client.printed(/begun/);
  await daemon.crashEngine();
  await cleared();
  assert.equal(await daemon.ok('ps', '-aq'), '');
});

test('a failed build says what failed and keeps what it had made', async () => {
  const dir = context('failed', { Dockerfile: `FROM ${BUSYBOX}\nRUN echo kept >/k\nRUN exit 9` });
  const { code, stderr } = await daemon.docker('build', dir);
  assert.equal(code, 9);
  assert.match(stderr, /The command '\/bin\/sh -c exit 9' returned a non-zero code: 9/);
  assert.match((await daemon.docker('build', dir)).stdout, /Using cache/);
  await cleared();
});

test('a mistake is shown with the lines around it', async () => {
  const dir = context('mistake', { Dockerfile: `FROM ${BUSYBOX}\nCOPY a \\\n  --bad\nRUM x` });
  const { code, stderr } = await daemon.docker('build', dir);
  assert.equal(code, 1);
  assert.match(stderr, /dockerfile parse error on line 4: unknown instruction: RUM/);
  assert.match(stderr, /Dockerfile:4\n-{20}\n(?:.*\n)*.* 4 \| >>> RUM x/);
});

test('a Dockerfile of another name, and one that is not there', async () => {
  const files = { 'docker/Dev.dockerfile': `FROM ${BUSYBOX}\nCOPY a /a`, a: 'A', b: 'B' };
  const dir = context('named', { ...files, 'docker/Dev.dockerfile.dockerignore': 'b\n' });
  await daemon.ok('build', '-f', join(dir, 'docker/Dev.dockerfile'), dir);
  const { stderr } = await daemon.docker('build', dir);
  assert.match(stderr, /Dockerfile/);
});

test('a Dockerfile from standard input has no context', async () => {
  const stdin = `FROM ${BUSYBOX}\nRUN echo hi`;
  const { code, stdout } = await daemon.dockerWith({ stdin }, 'build', '-');
  assert.equal(code, 0);
  assert.match(stdout, /Successfully built/);
});

test('files from the web are added, unpacked only when asked for, and checked', async () => {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/greeting`;
    const digest = createHash('sha256').update('hello').digest('hex');
    const text = `FROM ${BUSYBOX}\nADD --checksum=sha256:${digest} ${url} /x/\nRUN test "$(cat /x/greeting) $(stat -c %a /x/greeting)" = "hello 600"`;
    await daemon.ok('build', context('web', { Dockerfile: text }));
    const wrong = text.replace(digest, 'f'.repeat(64));
    const { stderr } = await daemon.docker('build', context('wrong', { Dockerfile: wrong }));
    assert.match(stderr, /digest mismatch/);
  } finally {
    server.close();
  }
});

test('a limit that the machine cannot give is told in the stream, and the image is made', async () => {
  const dir = context('limited', { Dockerfile: `FROM ${BUSYBOX}\nRUN true` });
  const printed = await daemon.ok('build', '--ulimit', 'nofile=99999999', dir);
  assert.match(printed, /\[Warning\] The ulimit nofile is lowered to \d+/);
  assert.match(printed, /Successfully built/);
});

test('commands of a build in a network of the user find its members by name', async () => {
  await daemon.ok('network', 'create', 'yard');
  const flags = ['--name', 'crane', '--network', 'yard', '--network-alias', 'lift.here'];
  await daemon.ok('run', '-d', ...flags, BUSYBOX, 'sleep', '1000');
  const dir = context('named', { Dockerfile: `FROM ${BUSYBOX}\nRUN ping -c1 lift.here` });
  assert.match(await daemon.ok('build', '--network', 'yard', dir), /1 packets received/);
  await daemon.ok('rm', '-f', 'crane');
  await daemon.ok('network', 'rm', 'yard');
});

test('what a command writes to stderr is shown in red', async () => {
  const dir = context('red', { Dockerfile: `FROM ${BUSYBOX}\nRUN echo out; echo err >&2` });
  const { stdout } = await daemon.docker('build', dir);
  assert.ok(stdout.includes('\x1b[91merr\n\x1b[0m'), stdout);
  assert.ok(stdout.includes('\nout\n'), stdout);
});

test('a client that has no credentials may say so with null, as Go’s library does', async () => {
  const archive = await tarOf(
    [{ kind: 'file', path: 'Dockerfile', mode: 0o644, content: Buffer.from(`FROM ${BUSYBOX}`) }],
    0,
  );
  const { status, body } = await requestOverSocket(daemon.socketPath, '/build', {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar', 'x-registry-config': 'bnVsbA==' },
    body: archive,
  });
  assert.equal(status, 200, body);
  assert.match(body, /Successfully built/);
});

test('an image that is built is told as an event, with or without a name', async () => {
  const since = (await daemon.ok('info', '--format', '{{.SystemTime}}')).trim();
  const id = await daemon.ok(
    'build',
    '-q',
    context('told', { Dockerfile: `FROM ${BUSYBOX}\nENV T=1` }),
  );
  const filters = ['--filter', 'type=image', '--filter', 'event=create'];
  const until = (await daemon.ok('info', '--format', '{{.SystemTime}}')).trim();
  const events = await daemon.ok('events', '--since', since, '--until', until, ...filters);
  assert.ok(events.includes(`image create ${id}`), events);
});
