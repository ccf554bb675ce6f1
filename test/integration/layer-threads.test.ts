/** Layers that are unpacked in threads: the same files and errors as without, and nothing that stays. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import { startThread } from '../../src/bin/program-paths.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER, OCI_LAYER_GZIP } from '../../src/oci/media-types.ts';
import type { LayerToUnpack } from '../../src/storage/layer-unpacker.ts';
import { ThreadedUnpacker } from '../../src/storage/unpack/threads/threaded-unpacker.ts';
import { layerTar } from '../support/layer-tar.ts';

const root = await mkdtemp(join(tmpdir(), 'threads-'));
after(() => rm(root, { recursive: true, force: true }));

const threads: Worker[] = [];
const unpacker = new ThreadedUnpacker({
  start: () => {
    const thread = startThread('unpacker');
    threads.push(thread);
    return thread;
  },
  atMost: 2,
  idleMs: 600_000,
});
after(() => unpacker.close());
/** Threads that are being ended do not keep the program alive, which the engine's sockets do. */
const awake = setInterval(() => undefined, 60_000);
after(() => clearInterval(awake));

/** Too large to be unpacked without a thread, and hardly to be compressed. */
const NOISE = randomBytes(3_000_000);
const TAR = layerTar([
  { name: 'noise', content: NOISE, pax: { uid: '2000000000' } },
  { name: 'pipe', type: '6' },
  { name: 'old/.wh.gone', content: '' },
]);

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(root, 'layer-'));
});

const unpack = (packed: Buffer, diffId: Digest = digestOf(TAR)) =>
  unpackAs({ mediaType: OCI_LAYER_GZIP, diffId, sizeBytes: packed.length }, packed);

/** As for a layer that is being made. */
const unpackNew = (plain: Buffer) => unpackAs({ mediaType: OCI_LAYER, diffId: undefined }, plain);

async function unpackAs(layer: LayerToUnpack, packed: Buffer) {
  const unpacking = unpacker.begin({ dir, whiteouts: 'files' }, layer);
  try {
    for (let at = 0; at < packed.length; at += 65_536) {
      await unpacking.write(packed.subarray(at, at + 65_536));
    }
    return await unpacking.finish();
  } finally {
    await unpacking.abort();
  }
}

describe('a thread that unpacks', () => {
  it('makes the files, and tells what it could not give them', async () => {
    const { sizeBytes, entryCount, owners } = await unpack(gzipSync(TAR));
    assert.deepEqual([sizeBytes, entryCount], [NOISE.length, 3]);
    assert.deepEqual(owners, new Map([['noise', { uid: 2_000_000_000, gid: 0 }]]));
    assert.ok((await readFile(join(dir, 'noise'))).equals(NOISE));
    assert.deepEqual((await readdir(join(dir, 'old'))).toSorted(), ['.wh.gone']);
  });

  it('refuses what is refused without it, in the same words', async () => {
    const packed = gzipSync(TAR);
    await assert.rejects(unpack(packed, digestOf('else')), /diffID should be/);
    await rm(join(dir, 'noise'));
    await assert.rejects(unpack(packed.subarray(0, -9)), { kind: 'corrupt' });
    const climbing = gzipSync(layerTar([{ name: '../x' }, { name: 'noise', content: NOISE }]));
    await assert.rejects(unpack(climbing), { kind: 'corrupt', message: /register layer/ });
    assert.deepEqual(
      (await readdir(root)).filter((name) => name === 'x'),
      [],
    );
  });

  it('works beside others, and several layers share the threads there are', async () => {
    const packed = gzipSync(TAR);
    const dirs = await Promise.all([1, 2, 3, 4].map(() => mkdtemp(join(root, 'many-'))));
    await Promise.all(
      dirs.map(async (each) => {
        dir = each;
        await unpack(packed);
      }),
    );
    for (const each of dirs)
      assert.equal((await readFile(join(each, 'noise'))).length, NOISE.length);
    assert.equal(threads.length, 2);
  });

  it('that ends in the middle fails its layers, and the next layer has another one', async () => {
    const packed = gzipSync(TAR);
    const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf(TAR), sizeBytes: packed.length };
    const unpacking = unpacker.begin({ dir, whiteouts: 'files' }, layer);
    await unpacking.write(packed.subarray(0, 100_000));
    await Promise.all(threads.map((thread) => thread.terminate()));
    await assert.rejects(unpacking.finish(), /the thread that unpacks layers ended/);
    await unpacking.abort();
    await rm(dir, { recursive: true });
    dir = await mkdtemp(join(root, 'next-'));
    assert.equal((await unpack(packed)).entryCount, 3);
    assert.equal(threads.length, 3);
  });

  it('is not started for a layer that is done before', async () => {
    const small = layerTar([{ name: 'note', content: 'aye' }]);
    await unpack(gzipSync(small), digestOf(small));
    assert.equal(await readFile(join(dir, 'note'), 'utf8'), 'aye');
    dir = await mkdtemp(join(root, 'made-'));
    await unpackNew(small);
    assert.equal(await readFile(join(dir, 'note'), 'utf8'), 'aye');
    assert.equal(threads.length, 3);
  });

  it('is started in the middle of a layer that is being made and grows large', async () => {
    await Promise.all(threads.map((thread) => thread.terminate()));
    assert.equal((await unpackNew(TAR)).entryCount, 3);
    assert.ok((await readFile(join(dir, 'noise'))).equals(NOISE));
    assert.equal(threads.length, 4);
  });
});
