import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const signals = join(daemon.home.root, 'signals');
await mkdir(signals);

/** Starts a container that writes numbered lines until a file appears, and then the last number once more. */
async function counting(name: string, ...options: readonly string[]): Promise<void> {
  const script = `i=0; until [ -e /s/${name} ]; do i=$((i+1)); echo $i; [ $((i % 500)) = 0 ] && sleep 0.02; done; echo last $i`;
  const flags = ['-d', '--name', name, '-v', `${signals}:/s`, ...options];
  await daemon.ok('run', ...flags, BUSYBOX, 'sh', '-c', script);
}

async function finish(name: string): Promise<void> {
  await writeFile(join(signals, name), '');
  await daemon.ok('wait', name);
}

/** Checks that the lines count to the number in the last one with nothing missing, and how many there are. */
function assertWhole(lines: readonly string[]): number {
  const last = Number(/^last (\d+)$/.exec(lines.at(-1) ?? '')?.[1]);
  assert.equal(lines.length, last + 1);
  assert.equal(
    lines.findIndex((line, at) => at < last && line !== String(at + 1)),
    -1,
  );
  return last;
}

/** All lines in the files at `LogPath`, oldest first, without their newlines. */
async function fileLines(name: string): Promise<readonly string[]> {
  const path = await daemon.ok('inspect', '-f', '{{.LogPath}}', name);
  const ageOf = (file: string) => Number(/\.log\.(\d+)/.exec(file)?.[1] ?? 0);
  const files = (await readdir(dirname(path)))
    .filter((file) => /-json\.log(\.\d+(\.gz)?)?$/.test(file))
    .sort((a, b) => ageOf(b) - ageOf(a));
  const texts = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(join(dirname(path), file));
      return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    }),
  );
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { log: string }).log.replace(/\n$/, ''));
}

test('the file at LogPath has every line once, although the engine was killed while it was written', async () => {
  await counting('mirrored');
  await eventually(async () => (await fileLines('mirrored')).length > 0);
  await daemon.crashEngine();
  const before = (await fileLines('mirrored')).length;
  await eventually(async () => (await fileLines('mirrored')).length > before);
  await daemon.crashEngine();
  await finish('mirrored');
  const written = assertWhole((await daemon.ok('logs', 'mirrored')).split('\n'));
  await eventually(async () => assertWhole(await fileLines('mirrored')) === written);
  await daemon.ok('rm', 'mirrored');
});

test('rotation loses no line for readers, followers and LogPath, also when the engine is killed', async () => {
  const limits = ['max-size=100k', 'max-file=1000', 'compress=true'];
  await counting('turned', ...limits.flatMap((limit) => ['--log-opt', limit]));
  const dir = dirname(await daemon.ok('inspect', '-f', '{{.LogPath}}', 'turned'));
  const rotations = async () =>
    (await readdir(dir)).filter((file) => /^container\.log\.\d+(\.gz)?$/.test(file)).length;
  await eventually(async () => (await rotations()) > 0);
  await daemon.crashEngine();
  const before = await rotations();
  await using follower = daemon.watch({}, 'logs', '-f', 'turned');
  await eventually(async () => (await rotations()) > before + 1);
  await finish('turned');
  const { code, stdout } = await follower.ended;
  assert.equal(code, 0);
  const written = assertWhole(stdout.trimEnd().split('\n'));
  assert.equal(assertWhole((await daemon.ok('logs', 'turned')).split('\n')), written);
  await eventually(async () => assertWhole(await fileLines('turned')) === written);
  assert.equal(await daemon.ok('logs', '--tail', '1', 'turned'), `last ${written}`);
  await daemon.ok('rm', 'turned');
});

test('old files go when there are as many as asked for', async () => {
  const limits = ['max-size=50k', 'max-file=2'];
  await counting(
    'short',
    '--log-driver',
    'local',
    ...limits.flatMap((limit) => ['--log-opt', limit]),
  );
  assert.equal(await daemon.ok('inspect', '-f', '{{.LogPath}}', 'short'), '');
  await eventually(async () => (await daemon.ok('logs', 'short')).split('\n')[0] !== '1');
  await finish('short');
  const lines = (await daemon.ok('logs', 'short')).split('\n');
  const [first, last] = [Number(lines[0]), Number(lines.at(-1)?.replace('last ', ''))];
  assert.equal(lines.length, last - first + 2);
  await daemon.ok('rm', 'short');
});

test('labels, variables and the tag that the options choose are in the file and in the details', async () => {
  const flags = ['--label', 'app=web', '--label', 'other=1', '-e', 'STAGE=a b'];
  const options = ['labels=app', 'env-regex=^STA', 'tag={{.Name}}/{{.ImageName}}'];
  const given = [...flags, ...options.flatMap((option) => ['--log-opt', option])];
  await daemon.ok('run', '--name', 'told', ...given, BUSYBOX, 'echo', 'hello');
  const tag = `told%2F${encodeURIComponent(BUSYBOX)}`;
  assert.equal(
    await daemon.ok('logs', '--details', 'told'),
    `STAGE=a%20b,app=web,tag=${tag} hello`,
  );
  const path = await daemon.ok('inspect', '-f', '{{.LogPath}}', 'told');
  const line = await eventually(() => readFile(path, 'utf8'));
  assert.deepEqual((JSON.parse(line) as { attrs: unknown }).attrs, {
    STAGE: 'a b',
    app: 'web',
    tag: `told/${BUSYBOX}`,
  });
  await daemon.ok('rm', 'told');
});

test('a container without a log has none to read', async () => {
  await daemon.ok('run', '--name', 'mute', '--log-driver', 'none', BUSYBOX, 'echo', 'x');
  const { code, stderr } = await daemon.docker('logs', 'mute');
  assert.equal(code, 1);
  assert.match(stderr, /configured logging driver does not support reading/);
  await daemon.ok('rm', 'mute');
});
