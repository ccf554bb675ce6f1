/** Real snapshotters on disk, inside a user and mount namespace. */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/shared/logger.ts';
import { openSnapshotter } from '../../src/storage/snapshots/open-snapshotter.ts';
import { testSnapshotterContract } from '../contract/snapshotter.ts';
import { makeSnapshotter, SNAPSHOTTER_KINDS, stackLayers } from '../support/snapshots.ts';

for (const kind of SNAPSHOTTER_KINDS) {
  testSnapshotterContract(kind, () => makeSnapshotter(kind));

  describe(`root file systems by ${kind}`, () => {
    it('are the sum of their layers, whiteouts included', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const top = await stackLayers(snapshots, [
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
      const top = await stackLayers(snapshots, [[{ name: 'file', content: 'old' }]]);
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
      const top = await stackLayers(snapshots, [[{ name: './', type: '5', mode: 0o1777 }]]);
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
    await snapshots.prepareActive('deep', await stackLayers(snapshots, layers));
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
