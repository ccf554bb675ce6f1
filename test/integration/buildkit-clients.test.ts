/** Real clients with buildx against the door, with a solver that tells what it was asked. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, utimesSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createApiServer } from '../../src/api/server.ts';
import { silentLogger } from '../../src/shared/logger.ts';

import { requires } from '../support/capabilities.ts';
import { BUILDX_SUITES, DockerClient } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';
import { fakeBackends } from '../support/fake-backends.ts';
import { type FakeDoor, fakeBuildDoor } from '../support/fake-build-door.ts';
import { writeTree } from '../support/files.ts';
import type { RunningCommand } from '../support/run-command.ts';

interface Rig extends FakeDoor, AsyncDisposable {
  readonly dir: string;
  /** `docker` in the directory; `output` has both streams. */
  docker(
    args: readonly string[],
    stdin?: string | Buffer,
  ): Promise<{ readonly status: number | null; readonly output: string }>;
  start(args: readonly string[]): RunningCommand;
  readonly contextsDir: string;
}

/** An API with the door on a socket, and a client for it. */
async function rig(suite: string): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-buildx-'));
  const fake = fakeBuildDoor(dir);
  const socketPath = join(dir, 'api.sock');
  const server = createApiServer({
    backends: { ...fakeBackends(), buildClients: fake.door },
    facts: { serverVersion: '28.5.2', storageDriver: 'overlay' },
    logger: silentLogger,
  });
  await server.listen({ path: socketPath });
  const env = { HOME: dir, DOCKER_HOST: `unix://${socketPath}` };
  const client = new DockerClient({ home: { root: dir }, env, log: () => '' }, suite);
  return {
    ...{ ...fake, dir, contextsDir: join(dir, 'contexts') },
    async docker(args, stdin) {
      const input = stdin === undefined ? {} : { stdin };
      const { code, stdout, stderr } = await client.run({ cwd: dir, ...input }, ...args);
      return { status: code, output: `${stdout}${stderr}` };
    },
    start: (args) => client.watch({ cwd: dir }, ...args),
    async [Symbol.asyncDispose]() {
      await server.close(0);
      await rm(dir, { recursive: true });
    },
  };
}

const labelsOf = ({ images }: Rig, name: string) =>
  images.byName.get(`docker.io/library/${name}`)?.config.config?.Labels ?? {};

for (const suite of BUILDX_SUITES) {
  describe(`buildx of ${suite}`, requires('docker-clients'), () => {
    test('builds, names the image, and shows the steps as with BuildKit', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, {
        'app/Dockerfile': 'FROM scratch\nCOPY . /\n',
        'app/.dockerignore': 'junk\n',
        'app/src/größe.txt': 'x',
        'app/junk': 'x',
      });
      const args = ['buildx', 'build', '--progress=plain', '--label', 'a=b', '-t', 'app', 'app'];
      const { status, output } = await build.docker(args);
      assert.equal(status, 0, output);
      const [request] = build.solver.requests;
      assert.equal(request?.dockerignore, 'junk\n');
      assert.deepEqual(labelsOf(build, 'app:latest'), {
        a: 'b',
        files: '.dockerignore Dockerfile junk src src/größe.txt',
      });
      for (const line of [
        /\[internal\] load build definition from Dockerfile/,
        /transferring dockerfile: \d+B/,
        /\[internal\] load \.dockerignore/,
        /\[2\/2\] COPY \. \/$/m,
        /exporting to image/,
        /naming to docker\.io\/library\/app:latest/,
      ]) {
        assert.match(output, line);
      }
      assert.equal(build.solver.held, 0);
    });

    test('sends only what has changed since the last build of the same directory', async () => {
      await using build = await rig(suite);
      const big = 'x'.repeat(100_000);
      writeTree(build.dir, { 'app/Dockerfile': 'COPY . /\n', 'app/big': big, 'app/old': 'old' });
      const again = async () =>
        (await build.docker(['buildx', 'build', '--progress=plain', '-t', 'app', 'app'])).output;
      assert.match(await again(), /\b100012 bytes/);
      assert.match(await again(), /\b0 bytes/);
      writeTree(build.dir, { 'app/new/one': 'one' });
      await rm(join(build.dir, 'app/old'));
      // The same size and another time: still another file.
      utimesSync(join(build.dir, 'app/Dockerfile'), 1, 1);
      assert.match(await again(), /\b12 bytes/);
      assert.equal(labelsOf(build, 'app:latest')['files'], 'Dockerfile big new new/one');
      assert.equal((await readdir(build.contextsDir)).length, 1);
    });

    test('passes options on, and secrets when they are asked for', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile.dev': 'SECRET key\nSECRET none\n', key: '12345' });
      const { status, output } = await build.docker([
        ...['buildx', 'build', '--progress=plain', '-f', 'app/Dockerfile.dev', '--target', 'dev'],
        ...['--build-arg', 'A=1', '--no-cache-filter', 'one,two', '--secret', 'id=key,src=key'],
        ...['--add-host', 'db=10.0.0.1', '--network', 'none', '--platform', 'linux/arm64'],
        ...['--build-context', 'base=docker-image://debian', '--pull', '.'],
      ]);
      assert.equal(status, 0, output);
      assert.match(output, /secret of 5 bytes/);
      assert.match(output, /no secret/);
      const [request] = build.solver.requests;
      assert.equal(request?.target, 'dev');
      assert.equal(request?.buildArgs.get('A'), '1');
      assert.deepEqual(request?.noCache, ['one', 'two']);
      assert.deepEqual(request?.platforms, [{ os: 'linux', architecture: 'arm64' }]);
      assert.deepEqual(request?.run.extraHosts, ['db:10.0.0.1']);
      assert.equal(request?.run.networkMode, 'none');
      assert.equal(request?.pull, 'always');
      assert.deepEqual(request?.namedContexts.get('base'), { kind: 'image', ref: 'debian' });
    });

    test('says what has no effect', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'FROM scratch\n' });
      const { status, output } = await build.docker([
        ...['buildx', 'build', '--progress=plain', '--provenance', 'mode=max,version=v1'],
        ...['--cache-to', 'type=registry,ref=r.test/app,compression=zstd,ignore-error=true', 'app'],
      ]);
      assert.equal(status, 0, output);
      assert.match(output, /WARNING: provenance has the form of SLSA 0\.2/);
      assert.match(output, /WARNING: option compression=zstd of the cache export registry/);
      const refused = await build.docker(['buildx', 'build', '--sbom=true', 'app']);
      assert.match(refused.output, /SBOM attestations are not supported/);
    });

    test('leads to the ssh agent of the client', async () => {
      await using build = await rig(suite);
      const agent = createServer((socket) => {
        // SSH_AGENT_IDENTITIES_ANSWER without keys.
        socket.on('data', () => socket.write(Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])));
      });
      const agentPath = join(build.dir, 'agent.sock');
      await new Promise<void>((resolve) => agent.listen(agentPath, resolve));
      writeTree(build.dir, { 'app/Dockerfile': 'SSH default\nSSH other\n' });
      const { output } = await build.docker([
        ...['buildx', 'build', '--progress=plain', '--ssh', `default=${agentPath}`, 'app'],
      ]);
      agent.close();
      assert.match(output, /agent says 000000050c00000000/);
      assert.match(output, /no agent/);
    });

    test('shows the lines of the Dockerfile around a mistake', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'FROM scratch\nFAIL no luck 100%\nRUN x\n' });
      const { status, output } = await build.docker(['buildx', 'build', 'app']);
      assert.equal(status, 1);
      assert.match(output, /Dockerfile:2\n-+\n/);
      assert.match(output, / 2 \| >>> FAIL no luck 100%/);
      assert.match(output, /ERROR: .*FAIL no luck 100%/);
    });

    test('says which Dockerfile is missing', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/x': '' });
      const { output } = await build.docker(['buildx', 'build', 'app']);
      assert.match(output, /failed to read dockerfile: open Dockerfile: no such file or directory/);
    });

    test('a client that is killed takes its build with it', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'COPY . /\nHANG\n' });
      const run = build.start(['buildx', 'build', '--progress=plain', 'app']);
      await eventually(() => build.solver.hanging === 1);
      process.kill(run.pid, 'SIGKILL');
      await run.ended;
      await eventually(() => build.solver.hanging === 0);
      assert.equal(build.solver.held, 0);
    });

    test('writes archives, ids and metadata where it is told', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'FROM scratch\n' });
      const { status, output } = await build.docker([
        ...['buildx', 'build', '--output', 'type=oci,dest=image.tar', '-t', 'app', 'app'],
        ...['--metadata-file', 'meta.json', '--iidfile', 'id'],
      ]);
      assert.equal(status, 0, output);
      assert.ok(statSync(join(build.dir, 'image.tar')).size > 1024);
      const meta = JSON.parse(readFileSync(join(build.dir, 'meta.json'), 'utf8'));
      assert.match(meta['containerimage.digest'], /^sha256:[0-9a-f]{64}$/);
      assert.match(readFileSync(join(build.dir, 'id'), 'utf8'), /^sha256:[0-9a-f]{64}$/);
    });

    test('pushes with the engine', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'FROM scratch\n' });
      const pushed = ['buildx', 'build', '--push', '-t', 'registry.test/app:1', 'app'];
      // Buildx before 0.20 asks the engine's own API to push once more, which has no such image here.
      await build.docker(pushed);
      assert.deepEqual(build.images.pushed, ['registry.test/app:1']);
    });

    test('builds from its input: a Dockerfile, and an archive', async () => {
      await using build = await rig(suite);
      const args = ['buildx', 'build', '--progress=plain', '-t', 'app', '-'];
      const text = await build.docker(args, 'FROM scratch\n');
      assert.equal(text.status, 0, text.output);
      const archive = Buffer.alloc(1024);
      // The client looks for the magic bytes of gzip.
      Buffer.from([0x1f, 0x8b, 0x08]).copy(archive);
      const packed = await build.docker(args, archive);
      assert.equal(packed.status, 0, packed.output);
      assert.match(packed.output, /\[internal\] load remote build context/);
      assert.equal(build.solver.requests.length, 2);
    });

    test('builds from an address, with the Dockerfile that is there', async () => {
      await using build = await rig(suite);
      const url = 'https://example.test/app.git#main:sub';
      const { status, output } = await build.docker(['buildx', 'build', url]);
      assert.equal(status, 0, output);
      assert.equal(build.solver.requests[0]?.dockerfile.text, `FROM ${url}`);
    });

    test('uses the result of one target of a bake in another', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, {
        Dockerfile: 'FROM scratch\n',
        'docker-bake.json': JSON.stringify({
          group: { default: { targets: ['base', 'app'] } },
          target: { base: {}, app: { contexts: { base: 'target:base' }, tags: ['app'] } },
        }),
      });
      const { status, output } = await build.docker(['buildx', 'bake']);
      assert.equal(status, 0, output);
      const [named] = build.solver.requests.flatMap(({ namedContexts }) => [
        ...namedContexts.values(),
      ]);
      assert.match(named?.kind === 'image' ? named.ref : '', /^sha256:[0-9a-f]{64}$/);
    });

    test('lists, watches and forgets the builds there were', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'FROM scratch\n' });
      await build.docker(['buildx', 'build', 'app']);
      const list = await build.docker(['buildx', 'history', 'ls', '--no-trunc']);
      // Buildx 0.13 has no such command.
      if (list.status !== 0) return assert.equal(suite, 'trixie', list.output);
      assert.match(list.output, /Completed/);
      const logs = await build.docker(['buildx', 'history', 'logs', '--progress=plain']);
      assert.match(logs.output, /\[1\/1\] FROM scratch/);
      await build.docker(['buildx', 'history', 'rm', '--all']);
      const rest = await build.docker(['buildx', 'history', 'ls']);
      assert.doesNotMatch(rest.output, /Completed/);
    });

    test('checks a Dockerfile without building it', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, { 'app/Dockerfile': 'from scratch\n' });
      const { status, output } = await build.docker(['buildx', 'build', '--check', 'app']);
      // Buildx 0.13 has no such flag.
      if (/unknown flag/.test(output)) return assert.equal(suite, 'trixie');
      assert.equal(status, 1, output);
      assert.match(output, /ConsistentInstructionCasing/);
      assert.match(output, /1 \| >>> from scratch/);
      assert.equal(build.solver.requests.length, 0);
    });

    test('tells of the targets and arguments of a Dockerfile without building it', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, {
        'app/Dockerfile':
          '# base is what all stand on.\nFROM scratch AS base\nARG WORD=calm\nRUN --mount=type=secret,id=key x\nFROM base\n',
      });
      const call = (what: string) => build.docker(['buildx', 'build', `--call=${what}`, 'app']);
      const targets = await call('targets');
      if (/unknown flag/.test(targets.output)) return assert.equal(suite, 'trixie');
      assert.match(targets.output, /^base\s+is what all stand on\.$/m);
      assert.match(targets.output, /\(default\)/);
      const outline = await call('outline');
      assert.match(outline.output, /^WORD\s+calm/m);
      assert.match(outline.output, /^key/m);
      assert.equal(build.solver.requests.length, 0);
    });

    test('bakes several targets at once', async () => {
      await using build = await rig(suite);
      writeTree(build.dir, {
        Dockerfile: 'COPY . /\n',
        'docker-bake.json': JSON.stringify({
          group: { default: { targets: ['one', 'two'] } },
          target: { one: { tags: ['one'] }, two: { tags: ['two'] } },
        }),
      });
      const { status, output } = await build.docker(['buildx', 'bake']);
      assert.equal(status, 0, output);
      assert.deepEqual([...build.images.byName.keys()].toSorted(), [
        'docker.io/library/one:latest',
        'docker.io/library/two:latest',
      ]);
    });
  });
}
