/** Builds that end in the middle, by both doors: what was there before is there afterwards, and nothing else. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { CrashRig } from '../support/crash/crash-rig.ts';
import { DockerClient, NEWEST_BUILDX } from '../support/docker-client.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { filesTar } from '../support/layer-tar.ts';
import { makeTestHome } from '../support/test-home.ts';

const DOORS = [
  { name: 'BuildKit', env: { DOCKER_BUILDKIT: '1', BUILDKIT_PROGRESS: 'plain' } },
  { name: 'classic', env: { DOCKER_BUILDKIT: '0' } },
] as const;
const MIB = 1024 * 1024;

/** Makes a context in the home of the rig's daemon and returns its directory. */
function writeContext(
  { daemon }: CrashRig,
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
): string {
  const dir = join(daemon.home.root, name);
  mkdirSync(dir);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(dir, file), content);
  return dir;
}

/** What a build keeps for the next one is in the cache, and goes with it. */
async function nothingIsLeft(
  { rig, client }: { readonly rig: CrashRig; readonly client: DockerClient },
  before: readonly string[],
): Promise<void> {
  await eventually(
    async () => {
      await client.ok({}, 'builder', 'prune', '-af');
      assert.deepEqual(await rig.inventory(), before);
      return true;
    },
    { withinMs: 20_000, everyMs: 200 },
  );
}

describe('a client that is killed leaves nothing', requires('docker-clients'), async () => {
  const rig = await CrashRig.start();
  after(() => rig[Symbol.asyncDispose]());
  const client = new DockerClient(rig.daemon, NEWEST_BUILDX);
  const builds = join(rig.daemon.home.dataDir, 'wherry/builds');

  for (const { name, env } of DOORS) {
    it(`while its command runs, by the ${name} door`, async () => {
      const Dockerfile = `FROM ${BUSYBOX}\nRUN echo be""gun; sleep 1000`;
      const dir = writeContext(rig, `run-${name}`, { Dockerfile });
      const before = await rig.inventory();
      await using running = client.watch({ env }, 'build', dir);
      await eventually(() => `${running.stdout}${running.stderr}`.includes('begun'));
      running.kill('SIGKILL');
      await nothingIsLeft({ rig, client }, before);
    });

    it(`while it sends its files, by the ${name} door`, async () => {
      const before = await rig.inventory();
      const archive = filesTar({ Dockerfile: `FROM ${BUSYBOX}\n`, big: 'x'.repeat(MIB) });
      const half = new Readable({ read: () => undefined });
      half.push(archive.subarray(0, archive.length / 2));
      await using running = client.watch({ env, stdin: half }, 'build', '-');
      await eventually(() =>
        readdirSync(builds, { recursive: true }).some((path) => `${path}`.endsWith('Dockerfile')),
      );
      running.kill('SIGKILL');
      await nothingIsLeft({ rig, client }, before);
    });
  }
});

describe('a full disk ends the build and leaves nothing', requires('docker-clients'), async () => {
  const home = await makeTestHome();
  const surroundings = `mount -t tmpfs -o size=64m,mode=0700 disk ${home.dataDir}`;
  const rig = await CrashRig.start({ home, surroundings });
  after(async () => {
    await rig[Symbol.asyncDispose]();
    await home[Symbol.asyncDispose]();
  });
  const client = new DockerClient(rig.daemon, NEWEST_BUILDX);
  const fill = (mebibytes: number) => `dd if=/dev/zero of=/big bs=1M count=${mebibytes}`;
  const FULL = /no space left on device/i;
  // What such a command says would be kept on the same disk.
  const FAILED = /exit code: 1$|non-zero code: 1$/m;
  const copy = 'COPY big /big';
  const cases = [
    { what: 'in a command', line: `RUN ${fill(100)}`, files: {}, says: FAILED },
    { what: 'while a layer is stored', line: `RUN ${fill(40)}`, files: {}, says: FULL },
    { what: 'in a copy', line: copy, files: { big: Buffer.alloc(26 * MIB) }, says: FULL },
    { what: 'while files arrive', line: copy, files: { big: Buffer.alloc(70 * MIB) }, says: FULL },
  ];

  for (const { name, env } of DOORS) {
    for (const [index, { what, line, files, says }] of cases.entries()) {
      it(`${what}, by the ${name} door`, async () => {
        const Dockerfile = `FROM ${BUSYBOX}\nRUN echo ${name} ${index} >/a\n${line}`;
        const dir = writeContext(rig, `full-${name}-${index}`, { ...files, Dockerfile });
        const before = await rig.inventory();
        const { code, stdout, stderr } = await client.run({ env }, 'build', dir);
        assert.notEqual(code, 0, `${stdout}${stderr}`);
        assert.match(`${stdout}${stderr}`, says);
        await nothingIsLeft({ rig, client }, before);
      });
    }

    it(`and the next one has room, by the ${name} door`, async () => {
      const Dockerfile = `FROM ${BUSYBOX}\nRUN ${fill(10)}`;
      const dir = writeContext(rig, `room-${name}`, { Dockerfile });
      const before = await rig.inventory();
      await client.ok({ env }, 'build', '-t', 'room', dir);
      await client.ok({}, 'rmi', 'room');
      await nothingIsLeft({ rig, client }, before);
    });
  }
});

describe('without subordinate ids', requires('docker-clients'), async () => {
  const rig = await CrashRig.start({ flags: ['--userns-mode', 'single'] });
  after(() => rig[Symbol.asyncDispose]());
  const client = new DockerClient(rig.daemon, NEWEST_BUILDX);
  const Dockerfile = `FROM ${BUSYBOX} AS made
COPY --chown=12:34 a /a
RUN echo b >/b && chown 56:78 /b
FROM ${BUSYBOX}
COPY --from=made /a /b /x/
RUN test "$(cat /x/a /x/b)" = "$(printf 'a\\nb')"
CMD ["cat", "/x/b"]
`;

  it('both doors build the same image', async () => {
    const dir = writeContext(rig, 'context', { Dockerfile, a: 'a\n' });
    const before = await rig.inventory();
    const build = ({ env }: (typeof DOORS)[number]) =>
      client.ok({ env }, 'build', '-q', '-t', 'one', dir);
    const id = await build(DOORS[0]);
    assert.equal(await build(DOORS[1]), id);
    assert.equal(await client.ok({}, 'run', '--rm', 'one'), 'b');
    await client.ok({}, 'rmi', 'one');
    await nothingIsLeft({ rig, client }, before);
  });
});
