/** Archives and layers that are made to do harm: a clear error or no harm, nothing outside the store, and the next one works. */
import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import type { Manifest } from '../../src/oci/image-spec.ts';
import { OCI_INDEX, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { messageOf } from '../../src/shared/errors.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { layerTar, type TarMember } from '../support/layer-tar.ts';
import {
  describe as descriptorOf,
  dockerArchive,
  ociArchive,
  ociImage,
} from '../support/oci-image.ts';

const IMAGE = ociImage({ layers: [{ note: 'aye' }] });
const root = await mkdtemp(join(tmpdir(), 'hostile-'));
after(() => rm(root, { recursive: true }));

/** A member whose header tells another size than it has. */
function withSize(member: TarMember, size: Buffer): Buffer {
  const [header] = [layerTar([member]).subarray(0, 512)];
  size.copy(header, 124);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, Buffer.alloc(2048)]);
}

/** 2^60 in the binary form of GNU tar. */
const HUGE = Buffer.from([0x80, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]);
const NEGATIVE = Buffer.alloc(12, 0xff);

describe('an archive to load', () => {
  const table = (entry: object) => JSON.stringify([entry]);
  const nested = (depth: number): Buffer => {
    const own = depth === 0 ? IMAGE.manifestBytes : nested(depth - 1);
    const child = {
      ...descriptorOf(OCI_INDEX, own),
      platform: { os: 'linux', architecture: 'amd64' },
    };
    return Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [child] }));
  };
  const depths = [0, 1, 2, 3, 4, 5, 6, 7].map((depth) => {
    const bytes = nested(depth);
    return { name: `blobs/${digestOf(bytes).replace(':', '/')}`, content: bytes };
  });
  const layoutOf = (manifest: Manifest): Buffer => {
    const bytes = Buffer.from(JSON.stringify(manifest));
    const blobs = [...IMAGE.blobs].map(([digest, content]) => ({ digest, content }));
    const all = [...blobs, { digest: digestOf(bytes), content: bytes }];
    const index = { schemaVersion: 2, manifests: [descriptorOf(OCI_MANIFEST, bytes)] };
    return layerTar([
      { name: 'index.json', content: JSON.stringify(index) },
      ...all.map(({ digest, content }) => ({
        ...{ name: `blobs/${digest.replace(':', '/')}`, content },
      })),
    ]);
  };
  const cut = ociArchive(IMAGE, 'cut:1');
  const manifestName = `blobs/${IMAGE.digest.replace(':', '/')}`;
  const CASES: Readonly<Record<string, readonly [Buffer, RegExp]>> = {
    'with links that go round in circles': [
      layerTar([
        { name: 'a', type: '2', linkName: 'b' },
        { name: 'b', type: '2', linkName: 'a' },
        { name: 'manifest.json', content: table({ Config: 'a', Layers: ['b'] }) },
      ]),
      /does not contain a/,
    ],
    'whose links lead out of it': [
      layerTar([
        { name: 'a', type: '2', linkName: '/etc/passwd' },
        { name: 'manifest.json', content: table({ Config: 'a', Layers: ['../../etc/passwd'] }) },
      ]),
      /does not contain/,
    ],
    'with indexes within indexes without end': [
      layerTar([...depths, { name: 'index.json', content: nested(8) }]),
      /does not contain an image/,
    ],
    'with a blob under the digest of another': [
      layerTar([
        {
          name: 'index.json',
          content: JSON.stringify({
            schemaVersion: 2,
            manifests: [
              descriptorOf('application/vnd.oci.image.manifest.v1+json', IMAGE.manifestBytes),
            ],
          }),
        },
        { name: manifestName, content: '{}' },
      ]),
      /has the digest sha256:/,
    ],
    'with a layer of another size than its manifest says': [
      layoutOf({
        ...IMAGE.manifest,
        layers: IMAGE.manifest.layers.map((layer) => ({ ...layer, size: layer.size + 1 })),
      }),
      /has \d+ bytes, not \d+/,
    ],
    'with a table of contents without end': [
      layerTar([{ name: 'manifest.json', content: Buffer.alloc(17 * 1024 * 1024, 32) }]),
      /manifest\.json is larger than/,
    ],
    'with a member of more bytes than there are': [
      withSize({ name: 'manifest.json' }, HUGE),
      /invalid archive/,
    ],
    'with a member of less than no bytes': [
      withSize({ name: 'manifest.json' }, NEGATIVE),
      /invalid archive|does not contain/,
    ],
    'that ends in the middle': [
      cut.subarray(0, cut.length >> 1),
      /invalid archive|does not contain/,
    ],
  };
  for (const [what, [archive, reason]] of Object.entries(CASES)) {
    it(`${what} is refused with the reason, and the next one is loaded`, async () => {
      await using engine = await ImageEngine.start();
      const { error } = await engine.load(archive);
      assert.match(messageOf(error), reason);
      assert.deepEqual(await engine.leftovers(), NOTHING);
      assert.equal((await engine.load(dockerArchive(IMAGE, ['next:1']))).error, undefined);
    });
  }

  it('with names that climb writes nothing outside of the store', async () => {
    await using engine = await ImageEngine.start();
    const climbing = ['../../../climbed', '/climbed', 'a/../../../climbed'].map((name) => ({
      ...{ name, content: 'x' },
    }));
    const whole = dockerArchive(IMAGE, ['app:1']);
    const archive = Buffer.concat([layerTar(climbing).subarray(0, -1024), whole]);
    assert.equal((await engine.load(archive)).error, undefined);
    const around = await readdir(engine.root, { recursive: true });
    assert.deepEqual(
      around.filter((name) => name.includes('climbed')),
      [],
    );
    assert.ok(!(await readdir(dirname(engine.root))).includes('climbed'));
  });
});

describe('a layer', () => {
  async function unpack(members: readonly TarMember[] | Buffer, whiteouts: 'overlay' | 'files') {
    const around = await mkdtemp(join(root, 'layer-'));
    const dir = join(around, 'layer');
    await mkdir(dir);
    await writeFile(join(around, 'victim'), 'safe');
    const tar = Buffer.isBuffer(members) ? members : layerTar(members);
    const layer = { mediaType: OCI_LAYER, diffId: digestOf(tar) };
    const unpacking = new TarUnpacker().begin({ dir, whiteouts }, layer);
    try {
      await unpacking.write(tar);
      await unpacking.finish();
      return { dir, error: undefined };
    } catch (error) {
      return { dir, error };
    } finally {
      await unpacking.abort();
      assert.deepEqual((await readdir(around)).toSorted(), ['layer', 'victim']);
      assert.equal(await readFile(join(around, 'victim'), 'utf8'), 'safe');
    }
  }

  for (const form of ['overlay', 'files'] as const) {
    it(`with whiteouts of nothing, of itself and of its parent hides nothing (${form})`, async () => {
      const names = ['.wh.', '.wh..', '.wh...', 'd/.wh.', 'd/.wh..', 'd/.wh...', 'd/.wh..wh.plnk'];
      const { dir, error } = await unpack(
        [
          { name: 'd/', type: '5', mode: 0o755 },
          { name: 'd/kept', content: 'kept' },
          ...names.map((name) => ({ name })),
        ],
        form,
      );
      assert.equal(error, undefined);
      assert.deepEqual((await readdir(dir, { recursive: true })).toSorted(), ['d', 'd/kept']);
    });

    it(`with a whiteout through a link hides only within itself (${form})`, async () => {
      const members = [{ name: 'out', type: '2', linkName: '/..' }, { name: 'out/.wh.victim' }];
      const { error } = await unpack(members, form);
      if (error !== undefined) assert.match(messageOf(error), /failed to register layer/);
    });
  }

  it('with the same name again and again has the last one, never written through a link', async () => {
    const { dir, error } = await unpack(
      [
        { name: 'x', type: '2', linkName: 'kept' },
        { name: 'kept', content: 'kept' },
        { name: 'x', content: 'own' },
        { name: 'y/', type: '5', mode: 0o755 },
        { name: 'y/in', content: 'in' },
        { name: 'y', content: 'file' },
        { name: 'z', content: 'z' },
        { name: 'z', type: '1', linkName: 'z' },
      ],
      'files',
    );
    assert.equal(error, undefined);
    const texts = ['kept', 'x', 'y', 'z'].map((name) => readFile(join(dir, name), 'utf8'));
    assert.deepEqual(await Promise.all(texts), ['kept', 'own', 'file', 'z']);
    assert.ok((await lstat(join(dir, 'x'))).isFile());
  });

  it('with a set-uid program of an owner that is not mapped gives it to nobody, not to root', async () => {
    const { dir } = await unpack(
      [{ name: 'su', mode: 0o6755, pax: { uid: '2000000000' } }],
      'files',
    );
    const { uid, mode } = await lstat(join(dir, 'su'));
    assert.equal(uid, 65_534);
    assert.equal(mode & 0o777, 0o755);
  });

  const LONG = 'n'.repeat(300);
  const TOO_MUCH: Readonly<Record<string, readonly TarMember[] | Buffer>> = {
    'a name that no file system takes': [{ name: 'x', pax: { path: LONG } }],
    'a path without end': [{ name: 'x', pax: { path: `${'d/'.repeat(4000)}x` } }],
    'a link without end': [{ name: 'l', type: '2', pax: { linkpath: 'l/'.repeat(4000) } }],
    'a long name of many gigabytes': withSize({ name: '././@LongLink', type: 'L' }, HUGE),
    'records of many gigabytes': withSize({ name: 'PaxHeaders/x', type: 'x' }, HUGE),
    'a file of less than no bytes': withSize({ name: 'x' }, NEGATIVE),
  };
  for (const [what, members] of Object.entries(TOO_MUCH)) {
    it(`with ${what} is refused`, async () => {
      const { error } = await unpack(members, 'files');
      assert.ok(error !== undefined, 'it was accepted');
      assert.match(messageOf(error), /register layer|tar|EOF|too/i);
    });
  }
});
