/** A full disk in the middle of a pull or load. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { MountFlag, mount, UmountFlag, umount } from '../../src/sys/libc.ts';
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

async function onSmallDisk(test: (engine: ImageEngine, root: string) => Promise<void>) {
  const root = await mkdtemp(join(tmpdir(), 'full-'));
  mount({ source: 'tmpfs', target: root, type: 'tmpfs', flags: MountFlag.noDev, data: 'size=5m' });
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

  it('fails a load in the same way', async () => {
    await onSmallDisk(async (engine) => {
      const { error } = await engine.load(dockerArchive(LARGE, ['app:1']));
      assert.equal(kindOf(error), 'unavailable');
      assert.match(messageOf(error), /no space left on device/);
      const small = await engine.load(dockerArchive(SMALL, ['app:2']));
      assert.equal(small.error, undefined);
    });
  });
});
