import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { has, requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUILDX_SUITES, DockerClient } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';
import { writeTree } from '../support/files.ts';
import { BUSYBOX } from '../support/images.ts';
import { isRunning } from '../support/is-running.ts';
import { REGISTRY_USER, TestRegistry } from '../support/registry.ts';

const needed = requires('docker-clients', 'docker-registry');
const registry = await TestRegistry.start({ user: REGISTRY_USER.line });
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** A project of several stages, with what a build can take from its client. */
const PROJECT = {
  Dockerfile: `FROM ${BUSYBOX} AS tools
RUN --mount=type=cache,target=/cache echo made > /cache/x && cp /cache/x /made
FROM tools AS secret
RUN --mount=type=secret,id=key wc -c < /run/secrets/key > /length
FROM scratch AS files
COPY --from=tools /made /out/made
COPY src /out/src
FROM tools
COPY src /app/
CMD ["cat", "/app/main.txt"]
`,
  '.dockerignore': '**/*.log\nkey\n',
  key: '12345',
  'src/main.txt': 'hello',
  'src/run.sh': '#!/bin/sh',
  'src/noise.log': 'noise',
};

function projectOf(suite: string) {
  const cwd = join(daemon.home.root, `build-${suite}`);
  writeTree(cwd, PROJECT);
  const client = new DockerClient(daemon, suite);
  return {
    cwd,
    ok: (...args: readonly string[]) => client.ok({ cwd }, ...args),
    run: (...args: readonly string[]) => client.run({ cwd }, ...args),
    watch: (...args: readonly string[]) => client.watch({ cwd }, ...args),
    login: () =>
      client.ok(
        { cwd, stdin: REGISTRY_USER.password },
        ...['login', '-u', REGISTRY_USER.name, '--password-stdin', registry.host],
      ),
  };
}

for (const suite of has('docker-clients') ? BUILDX_SUITES : []) {
  describe(`buildx of ${suite} with the engine`, needed, () => {
    const project = projectOf(suite);

    test('docker build makes an image that runs, and makes it once', async () => {
      const first = await project.ok('build', '-q', '-t', 'app', '.');
      assert.equal(await project.ok('run', '--rm', 'app'), 'hello');
      assert.equal(await project.ok('run', '--rm', first, 'cat', '/made'), 'made');
      assert.equal(await project.ok('run', '--rm', 'app', 'ls', '/app'), 'main.txt\nrun.sh');
      const { stderr } = await project.run('build', '--progress=plain', '-t', 'again', '.');
      assert.match(stderr, /RUN --mount=type=cache.*\n#\d+ CACHED/);
      const base = `docker.io/${BUSYBOX}:latest`;
      assert.ok(stderr.includes(`[internal] load metadata for ${base}\n`), stderr);
      assert.ok(stderr.includes(`[tools 1/2] FROM ${base}@sha256:`), stderr);
      assert.equal(await project.ok('image', 'inspect', '-f', '{{.Id}}', 'again'), first);
    });

    test('secrets are there for their RUN and nowhere else', async () => {
      const args = ['build', '-q', '--target', 'secret', '--secret', 'id=key,src=key', '.'];
      const image = await project.ok(...args, '--no-cache-filter', 'secret');
      assert.equal(await project.ok('run', '--rm', image, 'cat', '/length'), '5');
      assert.equal(
        await project.ok('run', '--rm', image, 'find', '/', '-xdev', '-name', 'key'),
        '',
      );
    });

    test('files, tars and archives are written on the side of the client', async () => {
      const out = `out-${suite}`;
      await project.ok('build', '-q', '--target', 'files', '-o', out, '.');
      assert.equal(readFileSync(join(project.cwd, out, 'out/made'), 'utf8'), 'made\n');
      assert.equal(readFileSync(join(project.cwd, out, 'out/src/main.txt'), 'utf8'), 'hello');
      await project.ok('build', '--target', 'files', '-o', 'type=tar,dest=files.tar', '.');
      assert.ok(statSync(join(project.cwd, 'files.tar')).size > 1024);
      const name = `saved-${suite}`;
      await project.ok('build', '-t', name, '-o', 'type=docker,dest=image.tar', '.');
      await project.ok('load', '-i', 'image.tar');
      assert.equal(await project.ok('run', '--rm', name), 'hello');
    });

    test('an image is pushed with the credentials of the client', async () => {
      const name = `${registry.host}/${suite}:1`;
      const refused = await project.run('buildx', 'build', '--push', '-t', name, '.');
      assert.equal(refused.code, 1);
      await project.login();
      const meta = join(project.cwd, 'meta.json');
      await project.ok('buildx', 'build', '--push', '-t', name, '--metadata-file', meta, '.');
      const told = JSON.parse(readFileSync(meta, 'utf8'));
      const digest = told['containerimage.digest'];
      assert.equal(told['containerimage.descriptor'].digest, digest);
      assert.equal(told['image.name'], name);
      assert.match(told['buildx.build.ref'], /^default\//);
      const id = await project.ok('image', 'inspect', '-f', '{{.Id}}', name);
      assert.equal(told['containerimage.config.digest'], id);
      await daemon.docker('rmi', name);
      await project.ok('pull', '-q', `${registry.host}/${suite}@${digest}`);
    });

    test('a RUN that fails is told with its output and its place', async () => {
      writeTree(project.cwd, { 'Dockerfile.bad': `FROM ${BUSYBOX}\nRUN echo why; exit 7\n` });
      const { code, stderr } = await project.run('build', '-f', 'Dockerfile.bad', '.');
      assert.equal(code, 1);
      assert.match(stderr, /Dockerfile\.bad:2/);
      assert.match(stderr, /2 \| >>> RUN echo why; exit 7/);
      assert.match(stderr, /0\.\d+ why/);
      assert.match(stderr, /did not complete successfully: exit code: 7/);
    });

    test('a client that is interrupted or killed leaves nothing running', async () => {
      const word = `86399.${suite.length}`;
      writeTree(project.cwd, { 'Dockerfile.long': `FROM ${BUSYBOX}\nRUN sleep ${word}\n` });
      for (const signal of ['SIGINT', 'SIGKILL'] as const) {
        await using client = project.watch('buildx', 'build', '-f', 'Dockerfile.long', '.');
        await eventually(() => isRunning(word));
        process.kill(client.pid, signal);
        await client.ended;
        await eventually(() => !isRunning(word));
      }
    });

    test('compose builds the images of its services', async () => {
      writeTree(project.cwd, {
        'compose.yaml': `services:
  one: { build: . }
  two: { build: { context: ., target: tools }, command: cat /made }
`,
      });
      await project.ok('compose', '-p', suite, 'build', '-q');
      assert.match(await project.ok('compose', '-p', suite, 'run', '--rm', 'one'), /hello/);
      assert.match(await project.ok('compose', '-p', suite, 'run', '--rm', 'two'), /made/);
      await project.ok('compose', '-p', suite, 'down');
    });

    test('bake builds targets that stand on each other', async () => {
      writeTree(project.cwd, {
        'docker-bake.json': JSON.stringify({
          target: {
            default: {
              contexts: { base: 'target:base' },
              'dockerfile-inline': 'FROM base\nRUN cat /made > /baked\n',
              tags: ['baked'],
            },
            base: { target: 'tools' },
          },
        }),
      });
      await project.ok('buildx', 'bake', '-f', 'docker-bake.json');
      await project.ok('buildx', 'bake', '-f', 'docker-bake.json', '--set', 'default.pull=true');
      assert.equal(await project.ok('run', '--rm', 'baked', 'cat', '/baked'), 'made');
    });

    test('a builder of the remote driver speaks to the socket without an upgrade', async () => {
      const address = `unix://${daemon.socketPath}`;
      await project.ok('buildx', 'create', '--name', `far-${suite}`, '--driver', 'remote', address);
      await project.ok('buildx', 'build', '--builder', `far-${suite}`, '--load', '-t', 'far', '.');
      assert.equal(await daemon.ok('run', '--rm', 'far'), 'hello');
      await project.ok('buildx', 'rm', `far-${suite}`);
    });

    test('the cache is shown and pruned', async () => {
      assert.match(await project.ok('buildx', 'du'), /Total:\s+\d/);
      await project.ok('builder', 'prune', '-af');
      const { stderr } = await project.run('build', '--progress=plain', '.');
      assert.doesNotMatch(stderr, /RUN --mount=type=cache.*\n#\d+ CACHED/);
    });
  });
}
