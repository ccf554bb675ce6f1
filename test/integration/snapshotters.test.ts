/** Real snapshotters on disk, inside a user and mount namespace. */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chainIds } from '../../src/oci/chain-id.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { CopySnapshotter } from '../../src/storage/snapshots/copy/copy-snapshotter.ts';
import {
  type OpenedSnapshotter,
  openSnapshotter,
} from '../../src/storage/snapshots/open-snapshotter.ts';
import { OverlaySnapshotter } from '../../src/storage/snapshots/overlay/overlay-snapshotter.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { testSnapshotterContract } from '../contract/snapshotter.ts';
import { layerTar, type TarMember } from '../support/layer-tar.ts';

interface Opened {
  readonly snapshots: OpenedSnapshotter;
  reopen(): Promise<OpenedSnapshotter>;
  dispose(): Promise<void>;
}

type Kind = 'overlay' | 'copy';

async function openIn(kind: Kind, root: string): Promise<OpenedSnapshotter> {
  const options = { dir: join(root, 'data'), rootfsDir: join(root, 'run'), logger: silentLogger };
  return kind === 'overlay'
    ? await OverlaySnapshotter.open(options)
    : await CopySnapshotter.open(options);
}

async function makeSnapshotter(kind: Kind): Promise<Opened> {
  // A name that would need escapes in mount options.
  const root = await mkdtemp(join(tmpdir(), 'snapshots,a:b-'));
  let current = await openIn(kind, root);
  return {
    snapshots: current,
    async reopen() {
      await current.close();
      current = await openIn(kind, root);
      return current;
    },
    async dispose() {
      for (const key of await current.listActive()) await current.removeActive(key);
      await current.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Unpacks one layer after another; returns the topmost chainID. */
async function stack(
  snapshots: OpenedSnapshotter,
  layers: readonly (readonly TarMember[])[],
): Promise<Digest | undefined> {
  const tars = layers.map(layerTar);
  const diffIds = tars.map((tar) => digestOf(tar));
  const chain = chainIds(diffIds);
  for (const [index, tar] of tars.entries()) {
    const slot = await snapshots.prepareLayer();
    const diffId = diffIds[index] ?? digestOf('');
    const unpacking = new TarUnpacker().begin(slot, { mediaType: OCI_LAYER, diffId });
    await unpacking.write(tar);
    const { sizeBytes } = await unpacking.finish();
    const chainId = chain[index] ?? digestOf('');
    await slot.commit({ chainId, parent: chain[index - 1], sizeBytes });
  }
  return chain.at(-1);
}

for (const kind of ['overlay', 'copy'] as const) {
  testSnapshotterContract(kind, () => makeSnapshotter(kind));

  describe(`root file systems by ${kind}`, () => {
    it('are the sum of their layers, whiteouts included', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const top = await stack(snapshots, [
        [
          { name: 'etc/', type: '5', mode: 0o755 },
          { name: 'etc/kept', content: 'kept' },
          { name: 'etc/gone', content: 'gone' },
          { name: 'etc/changed', content: 'old' },
          { name: 'opaque/', type: '5', mode: 0o755 },
          { name: 'opaque/hidden', content: 'hidden' },
          { name: 'dir/', type: '5', mode: 0o755 },
          { name: 'dir/below', content: 'below' },
        ],
        [
          { name: 'etc/.wh.gone' },
          { name: 'etc/changed', content: 'new' },
          { name: 'opaque/', type: '5', mode: 0o700 },
          { name: 'opaque/.wh..wh..opq' },
          { name: 'opaque/fresh', content: 'fresh' },
          { name: '.wh.dir' },
          { name: 'dir/', type: '5', mode: 0o755 },
          { name: 'dir/above', content: 'above' },
        ],
      ]);
      await snapshots.prepareActive('one', top);
      const root = await snapshots.mount('one');
      assert.deepEqual((await readdir(join(root, 'etc'))).toSorted(), ['changed', 'kept']);
      assert.equal(await readFile(join(root, 'etc/changed'), 'utf8'), 'new');
      assert.deepEqual(await readdir(join(root, 'opaque')), ['fresh']);
      assert.equal((await lstat(join(root, 'opaque'))).mode & 0o7777, 0o700);
      assert.deepEqual(await readdir(join(root, 'dir')), ['above']);
      await dispose();
    });

    it('keep what was written over unmounts and restarts, and leave the layers alone', async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      const top = await stack(snapshots, [[{ name: 'file', content: 'old' }]]);
      await snapshots.prepareActive('one', top);
      await writeFile(join(await snapshots.mount('one'), 'file'), 'new!');
      await snapshots.unmount('one');
      const again = await reopen();
      assert.deepEqual(await again.listActive(), ['one']);
      assert.equal(await readFile(join(await again.mount('one'), 'file'), 'utf8'), 'new!');
      await again.prepareActive('two', top);
      assert.equal(await readFile(join(await again.mount('two'), 'file'), 'utf8'), 'old');
      assert.ok((await again.activeSize('one')) > 0);
      await dispose();
    });

    it('have the mode of the topmost layer at their root', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const top = await stack(snapshots, [[{ name: './', type: '5', mode: 0o1777 }]]);
      await snapshots.prepareActive('one', top);
      assert.equal((await lstat(await snapshots.mount('one'))).mode & 0o7777, 0o1777);
      await dispose();
    });

    it('lose what a crash left unfinished, at the next start', async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      const slot = await snapshots.prepareLayer();
      await writeFile(join(slot.dir, 'half'), 'half');
      await mkdir(join(slot.dir, '../../../active/unfinished/fs'), { recursive: true });
      const again = await reopen();
      assert.deepEqual(await again.listCommitted(), []);
      assert.deepEqual(await again.listActive(), []);
      await assert.rejects(lstat(slot.dir), { code: 'ENOENT' });
      await dispose();
    });
  });
}

describe('overlay mounts', () => {
  it('take 127 layers', async () => {
    const { snapshots, dispose } = await makeSnapshotter('overlay');
    const layers = Array.from({ length: 127 }, (_, index) => [
      { name: `file-${index}`, content: String(index) },
    ]);
    await snapshots.prepareActive('deep', await stack(snapshots, layers));
    assert.equal((await readdir(await snapshots.mount('deep'))).length, 127);
    await dispose();
  });

  it('survive a restart of the engine', async () => {
    const { snapshots, reopen, dispose } = await makeSnapshotter('overlay');
    await snapshots.prepareActive('one', undefined);
    const place = await snapshots.mount('one');
    await writeFile(join(place, 'file'), 'here');
    const again = await reopen();
    assert.equal(await again.mount('one'), place);
    assert.equal(await readFile(join(place, 'file'), 'utf8'), 'here');
    await again.unmount('one');
    await assert.rejects(lstat(place), { code: 'ENOENT' });
    await dispose();
  });
});

describe('the choice of a snapshotter', () => {
  it('falls on overlay where it works, and refuses unknown ones', async () => {
    const root = await mkdtemp(join(tmpdir(), 'choose-'));
    const options = {
      snapshotsDir: join(root, 'snapshots'),
      rootfsDir: join(root, 'run'),
      logger: silentLogger,
    };
    const chosen = await openSnapshotter({ ...options, driver: undefined });
    assert.equal(chosen.name, 'overlay');
    await chosen.close();
    await assert.rejects(openSnapshotter({ ...options, driver: 'zfs' }), /unknown storage driver/);
    await chmod(root, 0o700);
    await rm(root, { recursive: true });
  });
});
