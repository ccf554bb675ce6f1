/** Layers whose files may not have reached the disk when the machine went down. */
import assert from 'node:assert/strict';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ImageView } from '../../src/engine/images/image-view.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { CopySnapshotter } from '../../src/storage/snapshots/copy/copy-snapshotter.ts';
import { type Disk, systemDisk } from '../../src/storage/snapshots/disk.ts';
import { spawnProcess } from '../../src/sys/exec/spawn.ts';
import { eventually } from '../support/eventually.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { dockerArchive, ociImage } from '../support/oci-image.ts';
import { idleDisk, ScriptedDisk } from '../support/scripted-disk.ts';

const BOTTOM = digestOf('bottom');
const TOP = digestOf('top');

let dir = '';
let warnings: string[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'durable-'));
  warnings = [];
});
afterEach(() => rm(dir, { recursive: true }));

const open = (disk: Disk) =>
  CopySnapshotter.open({
    dir,
    disk,
    logger: { ...silentLogger, warn: (message) => warnings.push(message) },
  });

async function commit(snapshots: CopySnapshotter, chainId: Digest, parent?: Digest) {
  const slot = await snapshots.prepareLayer();
  await writeFile(join(slot.dir, 'file'), 'content');
  await slot.commit({ chainId, parent, sizeBytes: 7 });
  return slot.dir;
}

/** What the record beside a layer's files says about them. */
async function unsynced(layerDir: string): Promise<unknown> {
  return JSON.parse(await readFile(join(layerDir, '../layer.json'), 'utf8')).unsynced;
}

const isSynced = async (layerDir: string) => (await unsynced(layerDir)) === undefined;

describe('a committed layer', () => {
  it('is known to be on disk soon, and then survives a power cut', async () => {
    const snapshots = await open({ ...(await systemDisk()), syncDelayMs: 0 });
    const layerDir = await commit(snapshots, BOTTOM);
    await eventually(() => isSynced(layerDir));
    await snapshots.close();
    const again = await open(idleDisk('another-boot'));
    assert.deepEqual(await again.listCommitted(), [BOTTOM]);
    await again.close();
  });

  it('that was not on disk is dropped after a power cut; the one above it waits for it', async () => {
    const first = await open(idleDisk('first-boot'));
    const lost = await commit(first, BOTTOM);
    await first.close();
    const second = await open(new ScriptedDisk('first-boot'));
    const kept = await commit(second, TOP, BOTTOM);
    await eventually(() => isSynced(kept));
    await second.close();
    const record = { v: 1, chainId: BOTTOM, parent: null, sizeBytes: 7 };
    const holes = { bootId: 'first-boot', isLost: false };
    await writeFile(join(lost, '../layer.json'), JSON.stringify({ ...record, unsynced: holes }));

    const again = await open(idleDisk('second-boot'));
    assert.deepEqual(await again.listCommitted(), [TOP]);
    assert.equal(warnings.length, 1);
    await assert.rejects(again.prepareActive('early', TOP), /does not exist/);
    await commit(again, BOTTOM);
    await again.prepareActive('one', TOP);
    assert.equal(await readFile(join(await again.mount('one'), 'file'), 'utf8'), 'content');
    await again.close();
    assert.deepEqual(await readdir(join(dir, 'removing')), []);
  });

  it('stays when only the engine was killed, and is brought to disk by the next one', async () => {
    const fixture = join(import.meta.dirname, '../fixtures/commit-layer.ts');
    const engine = spawnProcess(
      { file: process.execPath, args: ['--import', 'tsx', fixture, dir, 'this-boot'] },
      { stdio: ['ignore', 'pipe-out', { fd: 2 }] },
    );
    for await (const _committed of createInterface({ input: engine.readable(1) })) {
      engine.kill('SIGKILL');
    }
    await engine.exited;
    const layerDir = join(dir, 'layers/1/fs');
    const debris = join(layerDir, '../.layer.json.0123456789abcdef.tmp');
    await writeFile(debris, 'half');
    assert.deepEqual(await unsynced(layerDir), { bootId: 'this-boot', isLost: false });
    const next = await open(new ScriptedDisk('this-boot'));
    assert.deepEqual(await next.listCommitted(), [digestOf('layer')]);
    await eventually(() => isSynced(layerDir));
    await assert.rejects(lstat(debris), { code: 'ENOENT' });
    await next.close();
  });

  it('that could not be brought to disk is usable in this boot and dropped in the next', async () => {
    const disk = new ScriptedDisk('this-boot');
    disk.onSync = async () => Promise.reject(new Error('input/output error'));
    const failing = await open(disk);
    const layerDir = await commit(failing, BOTTOM);
    const lost = { bootId: 'this-boot', isLost: true };
    await eventually(async () => assert.deepEqual(await unsynced(layerDir), lost) ?? true);
    await failing.close();
    assert.equal(warnings.length, 1);

    const healthy = new ScriptedDisk('this-boot');
    const restarted = await open(healthy);
    const other = await commit(restarted, TOP, BOTTOM);
    await eventually(() => isSynced(other));
    assert.deepEqual(await unsynced(layerDir), lost);
    await restarted.prepareActive('one', TOP);
    await restarted.close();
    const rebooted = await open(idleDisk('next-boot'));
    assert.deepEqual(await rebooted.listCommitted(), [TOP]);
    await rebooted.close();
  });

  it('may be removed while it is on its way to the disk', async () => {
    const disk = new ScriptedDisk();
    const snapshots = await open(disk);
    disk.onSync = () => snapshots.removeCommitted(BOTTOM);
    const layerDir = await commit(snapshots, BOTTOM);
    await eventually(() => disk.syncs === 1);
    await snapshots.close();
    await assert.rejects(lstat(layerDir), { code: 'ENOENT' });
    assert.deepEqual(warnings, []);
  });

  it('of a time when nothing was recorded about the disk counts as being there', async () => {
    const snapshots = await open(idleDisk('first-boot'));
    const layerDir = await commit(snapshots, BOTTOM);
    await snapshots.close();
    const record = { v: 1, chainId: BOTTOM, parent: null, sizeBytes: 7 };
    await writeFile(join(layerDir, '../layer.json'), JSON.stringify(record));
    const again = await open(idleDisk('second-boot'));
    assert.deepEqual(await again.listCommitted(), [BOTTOM]);
    await again.close();
  });
});

describe('an image after a power cut', () => {
  const IMAGE = ociImage({ layers: [{ low: 'low' }, { high: 'high' }] });
  const CONTAINER = 'c'.repeat(64);

  for (const storageDriver of ['overlay', 'copy']) {
    it(`is unpacked again below its containers (${storageDriver})`, async () => {
      const before = await ImageEngine.start({
        root: dir,
        storageDriver,
        disk: idleDisk('first-boot'),
      });
      await before.load(dockerArchive(IMAGE, ['app:1']));
      const view: ImageView = await before.images.inspect('app:1');
      await before.snapshots.prepareActive(CONTAINER, view.layerChainIds.at(-1));
      await writeFile(join(await before.snapshots.mount(CONTAINER), 'own'), 'own');
      await before.snapshots.unmount(CONTAINER);
      await before.close();
      const layersDir = join(dir, 'data/snapshots', storageDriver, 'layers');
      for (const number of ['1', '2']) {
        for (const name of await readdir(join(layersDir, number, 'fs'))) {
          await writeFile(join(layersDir, number, 'fs', name), '');
        }
      }

      const after = await ImageEngine.start({
        root: dir,
        storageDriver,
        disk: idleDisk('second-boot'),
      });
      const place = await after.snapshots.mount(CONTAINER);
      const files = ['low', 'high', 'own'].map((name) => readFile(join(place, name), 'utf8'));
      assert.deepEqual(await Promise.all(files), ['low', 'high', 'own']);
      const repaired = await after.images.inspect('app:1');
      assert.deepEqual([repaired.sizeBytes, repaired.repoTags], [view.sizeBytes, view.repoTags]);
      await after.snapshots.removeActive(CONTAINER);
      await after.close();
      assert.deepEqual((await after.leftovers()).layers, 2);
    });
  }
});
