/** `docker build` with BuildKit of docker 20.10, which has it without buildx and orders builds by `POST /build?version=2`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { has, requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';
import { writeTree } from '../support/files.ts';
import { BUSYBOX } from '../support/images.ts';
import { isRunning } from '../support/is-running.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

describe('docker build of 20.10 with BuildKit', requires('docker-clients'), () => {
  if (!has('docker-clients')) return;
  const client = new DockerClient(daemon, 'bookworm');
  const cwd = join(daemon.home.root, 'project');
  writeTree(cwd, {
    Dockerfile: `FROM ${BUSYBOX} AS base
COPY greeting /
RUN --mount=type=secret,id=key cp /run/secrets/key /taken
CMD ["cat", "/greeting", "/taken"]
`,
    'Dockerfile.bad': `FROM ${BUSYBOX}\nRUN echo why; exit 7\n`,
    'Dockerfile.long': `FROM ${BUSYBOX}\nRUN sleep 86398.20\n`,
    'Dockerfile.args': `FROM ${BUSYBOX}\nARG A\nRUN test "$A" = x\nCOPY greeting /\n`,
    greeting: 'hello ',
    key: 'secret',
  });
  const options = { cwd, env: { DOCKER_BUILDKIT: '1' }, timeoutMs: 30_000 };
  const build = (...args: readonly string[]) => client.run(options, 'build', ...args);

  test('an image is made over the session, named, and made once', async () => {
    const args = ['--secret', 'id=key,src=key', '--progress=plain', '-t', 'old', '.'];
    const first = await build(...args);
    assert.equal(first.code, 0, first.stderr);
    assert.equal(await daemon.ok('run', '--rm', 'old'), 'hello secret');
    assert.match((await build(...args)).stderr, /COPY greeting.*\n.*\n#\d+ CACHED/);
    const id = await daemon.ok('image', 'inspect', '-f', '{{.Id}}', 'old');
    assert.equal((await build('-q', '--secret', 'id=key,src=key', '.')).stdout.trim(), id);
  });

  test('an archive on the input is the context, and options of the build count', async () => {
    const { stdout } = await build('-q', '-f', 'Dockerfile.args', '--build-arg', 'A=x', '.');
    const archive = await daemon.ok('create', stdout.trim());
    const files = join(cwd, 'files.tar');
    await client.ok({ cwd }, 'cp', '-a', 'Dockerfile.args', `${archive}:/Dockerfile`);
    await client.ok({ cwd }, 'export', '-o', files, archive);
    const input = { ...options, stdin: readFileSync(files) };
    const args = ['--build-arg', 'A=x', '--label', 'a=b', '--iidfile', 'iid', '-'];
    const { code, stderr } = await client.run(input, 'build', ...args);
    assert.equal(code, 0, stderr);
    const id = readFileSync(join(cwd, 'iid'), 'utf8');
    assert.match(
      await daemon.ok('image', 'inspect', '-f', '{{json .Config.Labels}}', id),
      /"a":"b"/,
    );
  });

  test('files are written on the side of the client', async () => {
    const { code, stderr } = await build(
      '-f',
      'Dockerfile.args',
      '--build-arg',
      'A=x',
      '-o',
      'out',
      '.',
    );
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(cwd, 'out/greeting'), 'utf8'), 'hello ');
  });

  test('a RUN that fails ends the client with its output', async () => {
    const { code, stderr } = await build('--progress=plain', '-f', 'Dockerfile.bad', '.');
    assert.equal(code, 1);
    assert.match(stderr, /0\.\d+ why/);
    assert.match(stderr, /did not complete successfully: exit code: 7/);
  });

  test('what is refused at once ends the client, too', async () => {
    const { code, stderr } = await build('--platform', 'no/such/platform/here', '.');
    assert.equal(code, 1, stderr);
    assert.match(stderr, /no\/such\/platform\/here/);
  });

  test('a client that is interrupted or killed leaves nothing running', async () => {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      await using building = client.watch(options, 'build', '-f', 'Dockerfile.long', '.');
      await eventually(() => isRunning('86398.20'));
      process.kill(building.pid, signal);
      await building.ended;
      await eventually(() => !isRunning('86398.20'));
    }
  });
});
