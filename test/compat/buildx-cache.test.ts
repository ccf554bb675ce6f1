/** Caches that builds write for other machines, and read from them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { has, requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUILDX_SUITES, DockerClient } from '../support/docker-client.ts';
import { writeTree } from '../support/files.ts';
import { BUSYBOX } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';

const needed = requires('docker-clients', 'docker-registry');
const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** Every RUN makes something else each time: only a cache can give the same again. */
const STAMP = 'head -c 16 /dev/urandom | md5sum';
const PROJECT = {
  Dockerfile: `FROM ${BUSYBOX} AS tools
RUN ${STAMP} > /stamp
RUN true
FROM ${BUSYBOX}
WORKDIR /app
COPY --from=tools /stamp /tools-stamp
RUN ${STAMP} > stamp
`,
};

for (const suite of has('docker-clients') ? BUILDX_SUITES : []) {
  describe(`caches with buildx of ${suite}`, needed, () => {
    const cwd = join(daemon.home.root, `cache-${suite}`);
    writeTree(cwd, PROJECT);
    const client = new DockerClient(daemon, suite);
    const ok = (...args: readonly string[]) => client.ok({ cwd }, ...args);
    const build = async (...args: readonly string[]) => {
      const all = ['buildx', 'build', '--progress=plain', '--iidfile', 'id', ...args, '.'];
      const { code, stderr } = await client.run({ cwd }, ...all);
      assert.equal(code, 0, stderr);
      return { id: readFileSync(join(cwd, 'id'), 'utf8'), output: stderr };
    };
    /** Forgets all that builds have left in the engine. */
    const forget = () => ok('builder', 'prune', '-af');
    for (const [kind, to, from] of [
      ['local', 'type=local,dest=cache,mode=max', 'type=local,src=cache'],
      [
        'registry',
        `type=registry,ref=${registry.host}/cache:${suite},mode=max`,
        `type=registry,ref=${registry.host}/cache:${suite}`,
      ],
      [
        'registry, in the older form',
        `type=registry,ref=${registry.host}/cache:old-${suite},mode=max,image-manifest=false`,
        `${registry.host}/cache:old-${suite}`,
      ],
    ] as const) {
      test(`a ${kind} cache gives the same image when all else is gone`, async () => {
        const first = await build('--no-cache', '--cache-to', to);
        await ok('rmi', '-f', first.id);
        await forget();
        const again = await build('--cache-from', from);
        assert.equal(again.id, first.id, again.output);
      });
    }

    test('an image that was pushed carries its own cache, for both doors', async () => {
      const name = `${registry.host}/inline:${suite}`;
      const args = ['--push', '-t', name, '--cache-to', 'type=inline', '--target', 'tools'];
      await build('--no-cache', ...args);
      const stamp = await ok('run', '--rm', name, 'cat', '/stamp');
      await ok('rmi', '-f', name);
      await forget();
      const { id } = await build('--cache-from', name, '--target', 'tools');
      assert.equal(await ok('run', '--rm', id, 'cat', '/stamp'), stamp);
      await ok('rmi', '-f', id);
      await forget();
      const env = { DOCKER_BUILDKIT: '0' };
      const classic = ['build', '-q', '--cache-from', name, '--target', 'tools', '.'];
      const other = await client.ok({ cwd, env }, ...classic);
      assert.equal(await ok('run', '--rm', other, 'cat', '/stamp'), stamp);
    });

    test('caches that are missing or broken are told of, and do no harm', async () => {
      writeTree(cwd, { 'other/index.json': '{}' });
      const { output } = await build(
        ...['--cache-from', `${registry.host}/nothing:here`],
        ...['--cache-from', `type=registry,ref=${BUSYBOX}`],
        ...['--cache-from', 'type=local,src=nowhere'],
      );
      assert.match(output, /importing cache manifest from .*nothing:here\n(.*\n)*?#\d+ ERROR/);
    });
  });
}
