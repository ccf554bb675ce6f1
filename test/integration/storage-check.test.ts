/** Stores that are damaged in many ways: each damage is found, told, and repaired where that can be done. */
import assert from 'node:assert/strict';
import {
  chmod,
  link,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { StorageFinding, StorageSummary } from '../../src/handshake/storage-report.ts';
import { chainIds } from '../../src/oci/chain-id.ts';
import { type Digest, digestHex, digestOf } from '../../src/oci/digest.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { dockerArchive, ociImage } from '../support/oci-image.ts';
import { SNAPSHOTTER_KINDS } from '../support/snapshots.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({
  layers: [
    [
      { name: 'bin/', type: '5', mode: 0o755 },
      { name: 'bin/tool', content: 'tool', mode: 0o755 },
      { name: 'bin/same', type: '1', linkName: 'bin/tool' },
      { name: 'bin/link', type: '2', linkName: 'tool' },
      { name: 'sbin', type: '2', linkName: 'bin' },
      { name: 'sbin/through-a-link', content: 'through' },
      { name: 'twice', content: 'first' },
      { name: 'twice', content: 'second' },
      { name: 'gone/', type: '5', mode: 0o755 },
      { name: 'gone/below', content: 'below' },
      { name: 'deep/er/implied', content: 'implied' },
    ],
    [
      { name: '.wh.gone' },
      { name: 'bin/', type: '5', mode: 0o755 },
      { name: 'bin/.wh..wh..opq' },
      { name: 'bin/only', content: 'only' },
    ],
  ],
});
const [BOTTOM, TOP] = chainIds(IMAGE.diffIds);
const [CONFIG, FIRST] = [IMAGE.id, IMAGE.manifest.layers[0]?.digest as Digest];

let registry: StubRegistry;
let engine: ImageEngine;
let name = '';

const cached = new Set<Digest>();

async function start(kind: string): Promise<void> {
  registry = await StubRegistry.start();
  registry.add('team/app', 'v1', IMAGE);
  cached.clear();
  engine = await ImageEngine.start({ storageDriver: kind, caches: [{ holds: () => cached }] });
  name = `${registry.host}/team/app:v1`;
  assert.equal((await engine.pull(name)).error, undefined);
}

async function end(): Promise<void> {
  await engine[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
}

async function check(
  options: { repairs?: boolean; deep?: boolean } = {},
): Promise<{ findings: StorageFinding[]; summary: StorageSummary }> {
  const findings: StorageFinding[] = [];
  const { repairs = true, deep = false } = options;
  const signal = new AbortController().signal;
  for await (const line of engine.images.check({ repairs, deep }, signal)) {
    if ('summary' in line) return { findings, summary: line.summary };
    findings.push(line.finding);
  }
  return assert.fail('no summary came');
}

/** The check finds one thing of this kind, repairs it, and finds nothing any more. */
async function isRepaired(kind: StorageFinding['kind'], problem: RegExp, deep = false) {
  const { findings } = await check({ deep });
  assert.deepEqual(
    findings.map((finding) => [finding.kind, finding.outcome]),
    [[kind, 'repaired']],
  );
  assert.match(findings[0]?.problem ?? '', problem);
  const again = await check({ deep: true });
  assert.deepEqual(again.findings, []);
}

const blobPath = (digest: Digest) =>
  join(engine.root, 'data/content/blobs/sha256', digestHex(digest));

/** Directory of the files of a layer. */
async function layerDir(chainId: Digest | undefined): Promise<string> {
  const layers = join(engine.root, 'data/snapshots', engine.snapshots.name, 'layers');
  for (const number of await readdir(layers)) {
    const text = await readFile(join(layers, number, 'layer.json'), 'utf8').catch(() => '');
    if (text.includes(`"chainId":"${chainId}"`)) return join(layers, number, 'fs');
  }
  return assert.fail(`layer ${chainId} is not there`);
}

async function overwrite(digest: Digest, change: (bytes: Buffer) => Buffer): Promise<void> {
  const path = blobPath(digest);
  const bytes = await readFile(path);
  await chmod(path, 0o600);
  await writeFile(path, change(bytes));
}

const flipBit = (bytes: Buffer) => {
  const changed = Buffer.from(bytes);
  changed.writeUInt8((changed[changed.length >> 1] ?? 0) ^ 1, changed.length >> 1);
  return changed;
};

for (const kind of SNAPSHOTTER_KINDS) {
  describe(`unpacked layers of ${kind}`, () => {
    beforeEach(() => start(kind));
    afterEach(end);

    it('are whole when nothing happened to them', async () => {
      const { findings, summary } = await check({ deep: true });
      assert.deepEqual(findings, []);
      assert.deepEqual(summary, { images: 1, blobs: 4, layers: 2, findings: 0, left: 0 });
    });

    const damages: readonly (readonly [string, RegExp, (dir: string) => Promise<void>])[] = [
      ['a missing file', /\/bin\/link is missing/, (dir) => unlink(join(dir, 'bin/link'))],
      ['another mode', /mode 0700 instead of 0755/, (dir) => chmod(join(dir, 'bin/tool'), 0o700)],
      ['a file cut short', /has 1 bytes/, (dir) => truncate(join(dir, 'twice'), 1)],
      ['a write', /\/twice was changed/, (dir) => writeFile(join(dir, 'twice'), 'SECOND')],
      ['a file too many', /\/new is not in the image/, (dir) => writeFile(join(dir, 'new'), '')],
      [
        'another link target',
        /\/bin\/link leads to elsewhere/,
        async (dir) => {
          await unlink(join(dir, 'bin/link'));
          await symlink('elsewhere', join(dir, 'bin/link'));
        },
      ],
      [
        'a file in place of a directory',
        /\/bin is no directory/,
        async (dir) => {
          await rm(join(dir, 'bin'), { recursive: true });
          await link(join(dir, 'twice'), join(dir, 'bin'));
        },
      ],
    ];
    for (const [what, problem, damage] of damages) {
      it(`with ${what} are unpacked again`, async () => {
        await damage(await layerDir(BOTTOM));
        await isRepaired('layer', problem);
      });
    }

    it('with other contents are found by a deep check only', async () => {
      const path = join(await layerDir(BOTTOM), 'twice');
      const { mtimeMs } = await stat(path);
      await writeFile(path, 'SECOND');
      await utimes(path, mtimeMs / 1000, mtimeMs / 1000);
      assert.deepEqual((await check()).findings, []);
      await isRepaired('layer', /\/twice has other contents/, true);
    });

    it('without their whiteout are unpacked again', async () => {
      const dir = await layerDir(TOP);
      await rm(join(dir, kind === 'overlay' ? 'gone' : '.wh.gone'));
      await isRepaired('layer', /is missing/);
    });

    it('give containers that stand on them what they should have, once repaired', async () => {
      await engine.snapshots.prepareActive('box', TOP);
      await rm(join(await layerDir(BOTTOM), 'twice'));
      await isRepaired('layer', /\/twice is missing/);
      const root = await engine.snapshots.mount('box');
      assert.equal(await readFile(join(root, 'twice'), 'utf8'), 'second');
    });
  });
}

describe('a damaged store', () => {
  beforeEach(() => start('overlay'));
  afterEach(end);

  it('gets blobs again whose bytes are wrong, too few, or not there', async () => {
    const damages = [
      () => overwrite(FIRST, flipBit),
      () => overwrite(FIRST, (bytes) => bytes.subarray(0, 20)),
      () => rm(blobPath(FIRST)),
      () => overwrite(CONFIG, flipBit),
      () => overwrite(IMAGE.digest, flipBit),
      () => overwrite(IMAGE.digest, () => Buffer.from('{')),
    ];
    for (const damage of damages) {
      await damage();
      await isRepaired('blob', /is missing|does not have the bytes/);
    }
  });

  it('is only looked at when that is asked for', async () => {
    await overwrite(FIRST, flipBit);
    await rm(join(await layerDir(TOP), 'bin/only'));
    const before = await readFile(blobPath(FIRST));
    const { findings, summary } = await check({ repairs: false });
    assert.deepEqual(
      findings.map(({ kind, outcome }) => `${kind} ${outcome}`),
      ['blob not-repaired', 'layer not-repaired'],
    );
    assert.equal(summary.left, 2);
    assert.deepEqual(await readFile(blobPath(FIRST)), before);
  });

  it('gets an image back that could not be loaded at the start', async () => {
    await overwrite(CONFIG, () => Buffer.from('not JSON'));
    await engine.close();
    engine = await ImageEngine.start({ root: engine.root, storageDriver: 'overlay' });
    assert.deepEqual(await engine.images.list({ all: true, filters: new Map() }), []);
    const { findings, summary } = await check();
    assert.ok(findings.every(({ outcome }) => outcome === 'repaired'));
    assert.equal(summary.left, 0);
    assert.equal((await engine.images.inspect(name)).id, IMAGE.id);
    assert.deepEqual((await check({ deep: true })).findings, []);
  });

  it('leaves a layer alone that a container has mounted, and says what to do', async () => {
    await engine.snapshots.prepareActive('box', TOP);
    const root = await engine.snapshots.mount('box');
    await chmod(join(await layerDir(BOTTOM), 'twice'), 0o600);
    const { findings } = await check();
    assert.deepEqual(
      findings.map(({ outcome, cure }) => [outcome, cure]),
      [['not-repaired', 'stop the containers of the image and check again']],
    );
    assert.equal(await readFile(join(root, 'twice'), 'utf8'), 'second');
    await engine.snapshots.unmount('box');
    await isRepaired('layer', /mode 0600/);
  });

  it('that no registry can help names the cure, and takes the image when it is loaded again', async () => {
    const local = ociImage({ layers: [{ file: 'local' }], packing: 'none' });
    await engine.load(dockerArchive(local, ['local:1']));
    const layer = local.manifest.layers[0]?.digest as Digest;
    await overwrite(layer, flipBit);
    const { findings } = await check();
    assert.deepEqual(
      findings.map(({ kind, images, outcome, cure }) => [kind, images, outcome, cure]),
      [
        [
          'blob',
          ['local:1'],
          'not-repaired',
          'load, import or build the image again: it is from no registry',
        ],
      ],
    );
    await engine.load(dockerArchive(local, ['local:1']));
    assert.deepEqual((await check({ deep: true })).findings, []);
  });

  it('whose registry is gone names the pull that helps', async () => {
    await overwrite(FIRST, flipBit);
    registry.misbehave(/blobs/, { kind: 'status', status: 404 }, 9);
    const { findings } = await check();
    assert.deepEqual(
      findings.map(({ outcome, cure }) => [outcome, cure]),
      [['not-repaired', `docker pull ${name}`]],
    );
    registry.behave();
    assert.equal((await engine.pull(name)).error, undefined);
    assert.deepEqual((await check({ deep: true })).findings, []);
  });

  it('gets its index again', async () => {
    const index = join(engine.root, 'data/content/index.json');
    await writeFile(index, '{}');
    await isRepaired('index', /does not tell/);
    await rm(index);
    await isRepaired('index', /does not tell/);
  });

  it('loses what nothing needs', async () => {
    const stray = 'e'.repeat(64);
    await writeFile(join(dirname(blobPath(FIRST)), stray), 'stray');
    await isRepaired('garbage', /needed by nothing/);
  });

  it('tells of what is damaged in a cache, and how to have it made anew', async () => {
    const digest = digestOf('cached');
    cached.add(digest);
    await writeFile(blobPath(digest), 'cached');
    assert.deepEqual((await check()).findings, []);
    await writeFile(blobPath(digest), 'damaged');
    const { findings } = await check();
    assert.deepEqual(
      findings.map(({ kind, subject, outcome, cure }) => [kind, subject, outcome, cure]),
      [['blob', digest, 'not-repaired', 'docker builder prune -a']],
    );
  });

  it('unpacks a layer again that lost its record', async () => {
    await engine.close();
    await rename(join(await layerDir(BOTTOM), '../layer.json'), join(engine.root, 'taken'));
    engine = await ImageEngine.start({ root: engine.root, storageDriver: 'overlay' });
    assert.deepEqual((await check({ deep: true })).findings, []);
  });

  it('tells of containers that stand on nothing', async () => {
    await engine.snapshots.prepareActive('box', TOP);
    await engine.images.remove(IMAGE.id, { force: true, prune: true });
    await engine.snapshots.checker.discard(BOTTOM as Digest);
    const { findings } = await check();
    const container = findings.find((finding) => finding.kind === 'container');
    assert.deepEqual([container?.subject, container?.outcome], ['box', 'not-repaired']);
  });
});
