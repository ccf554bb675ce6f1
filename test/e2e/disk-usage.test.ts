/** What takes up the disk: system df, sizes of containers and images. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { getOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

interface Usage {
  readonly LayersSize: number;
  readonly Images: readonly {
    readonly RepoTags: readonly string[];
    readonly Size: number;
    readonly SharedSize: number;
    readonly Containers: number;
  }[];
  readonly Containers: readonly { readonly SizeRw?: number; readonly SizeRootFs: number }[];
  readonly Volumes: readonly {
    readonly Name: string;
    readonly UsageData: { readonly RefCount: number; readonly Size: number };
  }[];
  readonly BuildCache: readonly unknown[];
}

const get = async (path: string) =>
  JSON.parse((await getOverSocket(daemon.socketPath, path)).body) as unknown;

test('sizes add up: images with what they share, containers, volumes', async () => {
  const write = (kib: number, file: string) =>
    `dd if=/dev/zero of=${file} bs=1024 count=${kib} 2>&1`;
  const script = `${write(100, '/one')}; ${write(300, '/data/two')}`;
  await daemon.ok('run', '--name', 'box', '-v', 'vol:/data', BUSYBOX, 'sh', '-c', script);
  await daemon.ok('volume', 'create', 'idle');
  await daemon.ok('commit', 'box', 'made');

  const usage = (await get('/system/df')) as Usage;
  const image = (tag: string) => {
    const found = usage.Images.find(({ RepoTags }) => RepoTags.includes(tag));
    assert.ok(found, tag);
    return found;
  };
  const [base, made] = [image(`${BUSYBOX}:latest`), image('made:latest')];
  assert.equal(base.SharedSize, base.Size);
  assert.equal(made.SharedSize, base.Size);
  assert.equal(made.Size - base.Size, 100 * 1024);
  assert.deepEqual([base.Containers, made.Containers], [1, 0]);
  assert.equal(usage.LayersSize, made.Size);
  const [box] = usage.Containers;
  assert.equal(box?.SizeRw, 100 * 1024);
  assert.equal(box.SizeRootFs, base.Size + 100 * 1024);
  const volumes = usage.Volumes.map(({ Name, UsageData }) => [Name, UsageData]);
  assert.deepEqual(Object.fromEntries(volumes), {
    vol: { RefCount: 1, Size: 300 * 1024 },
    idle: { RefCount: 0, Size: 0 },
  });
  assert.deepEqual(usage.BuildCache, []);
});

test('the docker client shows them', async () => {
  const table = await daemon.ok(
    'system',
    'df',
    '--format',
    '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}',
  );
  const lines = table.split('\n');
  assert.match(lines[0] ?? '', /^Images 2 1 \d/);
  assert.equal(lines[1], 'Containers 1 0 102.4kB');
  assert.equal(lines[2], 'Local Volumes 2 1 307.2kB');
  assert.equal(lines[3], 'Build Cache 0 0 0B');
  const details = await daemon.ok('system', 'df', '-v');
  assert.match(details, /SHARED SIZE\s+UNIQUE SIZE/);
  assert.match(details, /made\s+latest\s+\S+\s+.*\s102\.4kB\s+0\n/);
  assert.match(await daemon.ok('ps', '-as', '--format', '{{.Size}}'), /^102kB \(virtual \d/);
});

test('images tell what they share when asked', async () => {
  const shared = async (query: string) =>
    ((await get(`/images/json${query}`)) as { SharedSize: number }[]).map(
      ({ SharedSize }) => SharedSize,
    );
  assert.deepEqual(await shared(''), [-1, -1]);
  assert.ok((await shared('?shared-size=1')).every((size) => size > 0));
});
