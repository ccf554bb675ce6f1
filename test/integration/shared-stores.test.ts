/** Read-only image stores that several users share. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { type OciImage, ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({ layers: [{ file: 'bottom' }, { top: 'top' }] });
const ARM = ociImage({ layers: [{ file: 'arm' }], architecture: 'arm64' });
const NAME = 'docker.io/library/tools:1';
const ALL = { all: true, filters: new Map() };

let parent = '';
let dir = '';
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'shared-'));
  dir = join(parent, 'images');
});
afterEach(() => rm(parent, { recursive: true }));

const descriptorOf = ({ digest, manifestBytes }: OciImage) => ({
  ...{ mediaType: OCI_MANIFEST, digest, size: manifestBytes.length },
});

const blobPath = (digest: string) => join(dir, 'blobs/sha256', digest.slice('sha256:'.length));

/** Writes an OCI image layout with these images, each under its name. */
async function writeLayout(entries: readonly (readonly [OciImage, string])[]): Promise<void> {
  const manifests = entries.map(([image, name]) => ({
    ...descriptorOf(image),
    annotations: { 'org.opencontainers.image.ref.name': name },
  }));
  await mkdir(join(dir, 'blobs/sha256'), { recursive: true });
  for (const [image] of entries) {
    for (const [digest, bytes] of image.blobs) await writeFile(blobPath(digest), bytes);
  }
  await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

const tagsIn = async (engine: ImageEngine) =>
  (await engine.images.list(ALL)).flatMap(({ repoTags }) => repoTags).toSorted();

const start = (root?: string) =>
  ImageEngine.start({ sharedStores: [dir], ...(root === undefined ? {} : { root }) });

async function fileIn(engine: ImageEngine, image: string): Promise<string> {
  const { layerChainIds } = await engine.images.resolve(image);
  await engine.snapshots.prepareActive('box', layerChainIds.at(-1));
  return await readFile(join(await engine.snapshots.mount('box'), 'file'), 'utf8');
}

/** Everything in the store with its size and time. */
async function listing(): Promise<readonly string[]> {
  const names = await readdir(dir, { recursive: true });
  const lines = names.map(async (name) => {
    const { size, mtimeMs } = await stat(join(dir, name));
    return `${name} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(lines)).toSorted();
}

describe('an image of a shared store', () => {
  it('is listed and used without a pull, and its store never written', async () => {
    await writeLayout([[IMAGE, NAME]]);
    const before = await listing();
    await using engine = await start();
    assert.deepEqual(await tagsIn(engine), ['tools:1']);
    assert.deepEqual(await engine.leftovers(), NOTHING);
    assert.equal(await fileIn(engine, 'tools:1'), 'bottom');
    assert.deepEqual(await engine.leftovers(), { ...NOTHING, layers: 2, slots: 2 });
    assert.equal((await engine.images.inspect('tools:1')).sizeBytes, 9);
    assert.deepEqual(await listing(), before);
  });

  it('cannot be removed, and says whose it is', async () => {
    await writeLayout([[IMAGE, NAME]]);
    await using engine = await start();
    for (const ref of ['tools:1', IMAGE.id]) {
      const removal = engine.images.remove(ref, { force: true, prune: true });
      const { kind, text } = await outcomeOf(removal);
      assert.equal(kind, 'conflict');
      assert.match(text, new RegExp(`shared image store ${dir}, which is read-only`));
    }
    await engine.images.prune(new Map([['dangling', ['false']]]));
    assert.deepEqual(await tagsIn(engine), ['tools:1']);
  });

  it('takes names of our own, which can go again', async () => {
    await writeLayout([[IMAGE, NAME]]);
    await using engine = await start();
    await engine.images.tag('tools:1', { repository: 'mine', tag: '2' });
    assert.deepEqual(await tagsIn(engine), ['mine:2', 'tools:1']);
    await engine.images.remove('mine:2', { force: false, prune: true });
    assert.deepEqual(await tagsIn(engine), ['tools:1']);
  });

  it('gives its unpacked layers back when all idle images are pruned', async () => {
    await writeLayout([[IMAGE, NAME]]);
    await using engine = await start();
    await engine.images.resolve('tools:1');
    await engine.images.prune(new Map());
    assert.equal((await engine.leftovers()).layers, 2);
    const { reclaimedBytes } = await engine.images.prune(new Map([['dangling', ['false']]]));
    assert.equal(reclaimedBytes, 9);
    assert.deepEqual(await engine.leftovers(), NOTHING);
    assert.equal(await fileIn(engine, 'tools:1'), 'bottom');
  });

  it('is the one for this machine where there are several', async () => {
    await writeLayout([
      [IMAGE, 'unused'],
      [ARM, 'unused'],
    ]);
    const platforms = [
      { ...descriptorOf(ARM), platform: { os: 'linux', architecture: 'arm64' } },
      { ...descriptorOf(IMAGE), platform: { os: 'linux', architecture: 'amd64' } },
    ];
    const index = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: platforms }),
    );
    await writeFile(blobPath(digestOf(index)), index);
    const entry = {
      ...{ mediaType: OCI_INDEX, digest: digestOf(index), size: index.length },
      annotations: { 'org.opencontainers.image.ref.name': 'v1' },
    };
    await writeFile(
      join(dir, 'index.json'),
      JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
    );
    await using engine = await start();
    assert.deepEqual(await tagsIn(engine), ['images:v1']);
    assert.equal((await engine.images.inspect('images:v1')).id, IMAGE.id);
  });

  it('appears when it is put in, and gives way to one of our own with its name', async () => {
    await writeLayout([[ARM, 'other:1']]);
    await using engine = await start();
    await using registry = await StubRegistry.start();
    await writeLayout([[IMAGE, `${registry.host}/tools:1`]]);
    assert.deepEqual(await tagsIn(engine), [`${registry.host}/tools:1`]);
    const newer = ociImage({ layers: [{ file: 'newer' }] });
    registry.add('tools', '1', newer);
    assert.equal((await engine.pull(`${registry.host}/tools:1`)).error, undefined);
    assert.equal((await engine.images.inspect(`${registry.host}/tools:1`)).id, newer.id);
    await engine.images.remove(`${registry.host}/tools:1`, { force: false, prune: true });
    assert.equal((await engine.images.inspect(`${registry.host}/tools:1`)).id, IMAGE.id);
  });
});

describe('blobs of a shared store', () => {
  it('are not downloaded again', async () => {
    await writeLayout([[IMAGE, NAME]]);
    await using registry = await StubRegistry.start();
    registry.add('team/app', 'v1', IMAGE);
    await using engine = await start();
    assert.equal((await engine.pull(`${registry.host}/team/app:v1`)).error, undefined);
    assert.equal(registry.count(/blobs/), 0);
    assert.equal(await fileIn(engine, `${registry.host}/team/app:v1`), 'bottom');
    assert.equal((await engine.leftovers()).blobs, 0);
  });

  it('are believed no more than those of a registry', async () => {
    await writeLayout([
      [IMAGE, NAME],
      [ARM, 'lies:1'],
    ]);
    const layer = IMAGE.manifest.layers[0]?.digest ?? '';
    await writeFile(
      blobPath(layer),
      await readFile(blobPath(ARM.manifest.layers[0]?.digest ?? '')),
    );
    await writeFile(blobPath(ARM.digest), IMAGE.manifestBytes);
    await using engine = await start();
    assert.deepEqual(await tagsIn(engine), ['tools:1']);
    assert.match((await outcomeOf(engine.images.resolve('tools:1'))).text, /diffID/);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});

describe('a shared store that vanishes', () => {
  it('takes its images along, names itself where its blobs are needed, and comes back', async () => {
    await writeLayout([[IMAGE, NAME]]);
    await using engine = await start();
    await engine.images.tag('tools:1', { repository: 'mine', tag: undefined });
    await rename(dir, `${dir}.away`);
    assert.deepEqual(await tagsIn(engine), ['mine:latest']);
    assert.equal((await outcomeOf(engine.images.resolve('tools:1'))).kind, 'not-found');
    const { text } = await outcomeOf(
      engine.snapshots.prepareActive('box', undefined).then(async () => {
        const stream = await engine.images.save(
          { names: ['mine'], platform: undefined },
          new AbortController().signal,
        );
        for await (const chunk of stream) assert.ok(chunk.length > 0);
      }),
    );
    assert.match(
      text,
      new RegExp(`blob \\S+ not found: the shared image store ${dir} cannot be read`),
    );
    await rename(`${dir}.away`, dir);
    assert.deepEqual(await tagsIn(engine), ['mine:latest', 'tools:1']);
  });

  it('that never was there or is no layout is no reason not to start', async () => {
    await mkdir(dir);
    await using engine = await ImageEngine.start({ sharedStores: [dir, join(parent, 'nowhere')] });
    assert.deepEqual(await tagsIn(engine), []);
  });
});
