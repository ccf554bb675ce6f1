/** A full disk in the middle of a pull or load. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { MountFlag, mount, UmountFlag, umount } from '../../src/sys/libc.ts';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { dockerArchive, ociImage } from '../support/oci-image.ts';
import { StubRegistry } from '../support/stub-registry.ts';

const SMALL = ociImage({ layers: [{ small: 'small' }] });
const LARGE = ociImage({
  layers: [
    { a: randomBytes(2_000_000).toString('hex') },
    { b: randomBytes(2_000_000).toString('hex') },
  ],
});

async function onSmallDisk(
  test: (engine: ImageEngine, root: string) => Promise<void>,
  size = '5m',
) {
  const root = await mkdtemp(join(tmpdir(), 'full-'));
  mount({
    source: 'tmpfs',
    target: root,
    type: 'tmpfs',
    flags: MountFlag.noDev,
    data: `size=${size}`,
  });
  try {
    await mkdir(join(root, 'work'));
    const engine = await ImageEngine.start({ root: join(root, 'work'), storageDriver: 'copy' });
    await test(engine, root);
    await engine.close();
  } finally {
    umount(root, UmountFlag.detach);
    await rm(root, { recursive: true });
  }
}

bringLoopbackUp();

describe('a layer that unpacks to far more than it is', () => {
  for (const packing of ['gzip', 'zstd'] as const) {
    it(`by ${packing} is stopped while there is room for others`, requires('zstd'), async () => {
      await using registry = await StubRegistry.start();
      const bomb = ociImage({ layers: [{ zeros: '\0'.repeat(200_000_000) }], packing });
      assert.ok((bomb.manifest.layers[0]?.size ?? 0) < 2_000_000);
      registry.add('app', 'bomb', bomb);
      registry.add('app', 'small', SMALL);
      await onSmallDisk(async (engine) => {
        const { error } = await engine.pull(`${registry.host}/app:bomb`);
        assert.match(messageOf(error), /it would fill the disk/);
        assert.deepEqual(await engine.leftovers(), NOTHING);
        // The kernel gives the room back a little after the files are gone.
        const small = `${registry.host}/app:small`;
        await eventually(async () => (await engine.pull(small)).error === undefined);
      }, '120m');
    });
  }
});

describe('a full disk', () => {
  it('fails a pull with the cure and nothing left; a smaller image then fits', async () => {
    await using registry = await StubRegistry.start();
    registry.add('app', 'large', LARGE);
    registry.add('app', 'small', SMALL);
    await onSmallDisk(async (engine) => {
      const { error } = await engine.pull(`${registry.host}/app:large`);
      assert.equal(kindOf(error), 'unavailable');
      assert.match(messageOf(error), /no space left on device: free some disk space/);
      await engine.snapshots.close().catch(() => undefined);
      assert.deepEqual(await engine.leftovers(), NOTHING);
    });
    await onSmallDisk(async (engine) => {
      await engine.pull(`${registry.host}/app:large`);
      const { error } = await engine.pull(`${registry.host}/app:small`);
      assert.equal(error, undefined);
    });
  });

  it('fails a load while there is room for others, and a smaller one then fits', async () => {
    await onSmallDisk(async (engine) => {
      const { error } = await engine.load(dockerArchive(LARGE, ['app:1']));
      assert.equal(kindOf(error), 'unavailable');
      assert.match(messageOf(error), /read archive: it would fill the disk.*free some disk space/);
      assert.deepEqual(await engine.leftovers(), NOTHING);
      const small = await engine.load(dockerArchive(SMALL, ['app:2']));
      assert.equal(small.error, undefined);
    });
  });

  it('fails a load of which the files do not fit beside the blobs', async () => {
    const image = ociImage({ layers: [{ a: randomBytes(1_500_000).toString('hex') }] });
    await onSmallDisk(async (engine) => {
      const { error } = await engine.load(dockerArchive(image, ['app:1']));
      assert.equal(kindOf(error), 'unavailable');
      assert.match(messageOf(error), /register layer.*no space left on device/);
      assert.deepEqual(await engine.leftovers(), NOTHING);
    });
  });
});
