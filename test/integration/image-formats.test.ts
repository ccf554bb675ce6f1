/** Forms of images that registries hold: what is taken as plain, what is told of indexes, and what is refused with a reason. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/image-spec.ts';
import {
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { requires } from '../support/capabilities.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { describe as descriptorOf, type OciImage, ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { pack } from '../support/pack.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({ layers: [{ note: 'aye' }] });
const [TAR = Buffer.alloc(0)] = IMAGE.tars;
const EMPTY_JSON = Buffer.from('{}');

async function makeWorld() {
  const registry = await StubRegistry.start();
  const engine = await ImageEngine.start();
  return {
    ...{ registry, engine, name: `${registry.host}/team/app` },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** The image with its layer packed in another way. */
function packedAs(mediaType: string, layer: Buffer): OciImage {
  const layers = [descriptorOf(mediaType, layer)];
  const manifestBytes = Buffer.from(JSON.stringify({ ...IMAGE.manifest, layers }));
  const parts: readonly (readonly [Digest, Buffer])[] = [...IMAGE.blobs, [digestOf(layer), layer]];
  return { ...IMAGE, manifestBytes, blobs: new Map(parts) };
}

describe('a layer made for lazy pulling', () => {
  const halves = [TAR.subarray(0, 700), TAR.subarray(700)];

  async function noteOf(image: OciImage): Promise<string> {
    await using world = await makeWorld();
    world.registry.add('team/app', 'v1', image);
    assert.equal((await world.engine.pull(`${world.name}:v1`)).error, undefined);
    const view = await world.engine.images.inspect(`${world.name}:v1`);
    await world.engine.snapshots.prepareActive('look', view.layerChainIds.at(-1));
    return await readFile(join(await world.engine.snapshots.mount('look'), 'note'), 'utf8');
  }

  it('by eStargz is read as plain gzip: members one after another, and a footer that holds nothing', async () => {
    // The footer's extra field says where the table of contents is; its contents are empty.
    const extra = Buffer.concat([
      Buffer.from('SG'),
      Buffer.from([22, 0]),
      Buffer.from('0000000000000000STARGZ'),
    ]);
    const length = Buffer.from([extra.length, 0]);
    const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff]);
    const footer = Buffer.concat([head, length, extra, gzipSync('').subarray(10)]);
    const layer = Buffer.concat([...halves.map((half) => gzipSync(half)), footer]);
    assert.equal(await noteOf(packedAs(OCI_LAYER_GZIP, layer)), 'aye');
  });

  it(
    'by zstd:chunked is read as plain zstd: frames, and one to be skipped',
    requires('zstd'),
    async () => {
      const table = Buffer.from('where the chunks are');
      const skipped = Buffer.alloc(8);
      skipped.writeUInt32LE(0x184d2a50, 0);
      skipped.writeUInt32LE(table.length, 4);
      const frames = halves.map((half) => pack('zstd', half));
      const layer = Buffer.concat([...frames, skipped, table]);
      assert.equal(await noteOf(packedAs(OCI_LAYER_ZSTD, layer)), 'aye');
    },
  );
});

describe('an index', () => {
  it('of images, attestations and artifacts gives the image, and tells of all that it names', async () => {
    await using world = await makeWorld();
    const { registry, engine, name } = world;
    const config = descriptorOf('application/vnd.example.sbom', EMPTY_JSON);
    const artifact = Buffer.from(JSON.stringify({ ...IMAGE.manifest, config }));
    registry.add('team/app', 'plain', IMAGE);
    const platform = (architecture: string, os = 'linux') => ({ platform: { os, architecture } });
    const own = descriptorOf(OCI_MANIFEST, IMAGE.manifestBytes);
    const manifests: readonly Descriptor[] = [
      {
        ...descriptorOf(OCI_MANIFEST, Buffer.from('attestation')),
        ...platform('unknown', 'unknown'),
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': own.digest,
        },
      },
      descriptorOf(OCI_MANIFEST, artifact),
      { ...descriptorOf(OCI_MANIFEST, Buffer.from('other')), ...platform('arm64') },
      { ...own, ...platform('amd64') },
    ];
    const document = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
    const bytes = Buffer.from(JSON.stringify(document));
    const digest = registry.addManifest('team/app', 'v1', { mediaType: OCI_INDEX, bytes });
    assert.equal((await engine.pull(`${name}:v1`)).error, undefined);

    const view = await engine.images.inspect(`${name}:v1`, { manifests: true });
    assert.equal(view.id, IMAGE.id);
    assert.deepEqual(view.descriptor, { mediaType: OCI_INDEX, digest, size: bytes.length });
    const [attestation, ...others] = view.manifests ?? [];
    assert.equal(attestation?.kind === 'attestation' && attestation.attests, own.digest);
    assert.deepEqual(
      others.map(({ kind, isAvailable }) => [kind, isAvailable]),
      [
        ['unknown', false],
        ['image', false],
        ['image', true],
      ],
    );
    const here = others.at(-1);
    assert.ok(here?.kind === 'image' && here.unpackedBytes === view.sizeBytes);
    const parts = [own, IMAGE.manifest.config, ...IMAGE.manifest.layers];
    assert.equal(
      here.contentBytes,
      parts.reduce((sum, { size }) => sum + size, 0),
    );
    const listed = await engine.images.list({ all: false, filters: new Map(), manifests: true });
    assert.deepEqual(listed[0]?.manifests, view.manifests);

    const arm = await outcomeOf(engine.images.inspect(`${name}:v1`, { platform: 'linux/arm64' }));
    assert.equal(arm.kind, 'not-found');
    assert.match(arm.text, /was found but its platform \(linux\/amd64\)/);
  });
});

describe('what is no image for containers', () => {
  const foreign = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
  const withConfig = {
    config: descriptorOf('application/vnd.cncf.helm.config.v1+json', EMPTY_JSON),
  };
  const schema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';
  const manifest = (change: object) => ({
    mediaType: OCI_MANIFEST,
    bytes: Buffer.from(JSON.stringify({ ...IMAGE.manifest, ...change })),
  });
  const CASES = {
    'a layer that is elsewhere': [
      manifest({ layers: [{ ...IMAGE.manifest.layers[0], mediaType: foreign }] }),
      'not-implemented',
      /layers that are not in the registry/,
    ],
    'a manifest of schema 1': [
      { mediaType: schema1, bytes: Buffer.from('{"schemaVersion":1,"fsLayers":[]}') },
      'not-implemented',
      /schema 1 support has been removed/,
    ],
    'an artifact': [manifest(withConfig), 'invalid-argument', /helm.*another kind of artifact/],
    'a layer of an unknown type': [
      manifest({ layers: [{ ...IMAGE.manifest.layers[0], mediaType: 'application/x-boat' }] }),
      'not-implemented',
      /unsupported layer media type application\/x-boat/,
    ],
    'a document of another type': [
      { mediaType: 'text/html', bytes: Buffer.from('{"hello":"there"}') },
      'invalid-argument',
      /unsupported manifest media type text\/html/,
    ],
  } as const;
  for (const [what, [document, kind, reason]] of Object.entries(CASES)) {
    it(`${what}, is refused with the reason, and leaves nothing`, async () => {
      await using world = await makeWorld();
      world.registry.add('team/app', 'plain', IMAGE);
      world.registry.addManifest('team/app', 'v1', document);
      const refused = await outcomeOf(world.engine.pull(`${world.name}:v1`));
      assert.equal(refused.kind, kind, refused.text);
      assert.match(refused.text, reason);
      assert.deepEqual(await world.engine.leftovers(), NOTHING);
    });
  }
});
