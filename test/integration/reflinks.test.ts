// disk: reflink
/** Copies on a file system where files can share their blocks. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { silentLogger } from '../../src/shared/logger.ts';
import { DiskContainerFiles } from '../../src/storage/files/disk-container-files.ts';
import { CopySnapshotter } from '../../src/storage/snapshots/copy/copy-snapshotter.ts';
import { diskSpaceOf } from '../../src/sys/fs/disk-space.ts';
import { syncFileSystem } from '../../src/sys/libc.ts';
import { findProgram, requires } from '../support/capabilities.ts';
import { runCommand } from '../support/run-command.ts';
import { stackLayers } from '../support/snapshots.ts';

const BYTES = 24 * 1024 * 1024;
/** What directories and records of shared blocks may take. */
const LITTLE = 2 * 1024 * 1024;

describe('on a disk with shared blocks', requires('reflink'), () => {
  let dir = '';
  beforeEach(async () => {
    dir = await mkdtemp(join(process.env['WHERRY_REFLINK_DIR'] ?? '', 'reflink-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  /** Bytes of the disk that `work` takes, once everything is written. */
  async function taken(work: () => Promise<unknown>): Promise<number> {
    const before = await freeBytes();
    await work();
    return before - (await freeBytes());
  }

  async function freeBytes(): Promise<number> {
    const fd = openSync(dir, 'r');
    await syncFileSystem(fd);
    closeSync(fd);
    return (await diskSpaceOf(dir)).freeBytes;
  }

  /** As the file system tells (FIEMAP): each extent of the file belongs to another file as well. */
  async function hasSharedBlocksOnly(path: string): Promise<void> {
    const { stdout } = await runCommand([findProgram('filefrag') ?? '', '-s', '-v', path]);
    const extents = stdout.split('\n').filter((line) => /^ *\d+:/.test(line));
    assert.ok(extents.length > 0, stdout);
    for (const extent of extents) assert.match(extent, /shared/);
  }

  it('a container by copies takes next to nothing until it writes', async () => {
    const snapshots = await CopySnapshotter.open({ dir: join(dir, 'copy'), logger: silentLogger });
    const content = randomBytes(BYTES);
    let top: Awaited<ReturnType<typeof stackLayers>>;
    const forLayer = await taken(async () => {
      top = await stackLayers(snapshots, [[{ name: 'large', content }]]);
    });
    assert.ok(forLayer >= BYTES, `${forLayer} bytes for the layer`);
    const forContainer = await taken(() => snapshots.prepareActive('box', top));
    assert.ok(forContainer < LITTLE, `${forContainer} bytes for the container`);
    const file = join(await snapshots.mount('box'), 'large');
    assert.ok((await readFile(file)).equals(content));
    await hasSharedBlocksOnly(file);
    await writeFile(file, 'changed');
    await assert.rejects(hasSharedBlocksOnly(file), 'what was written is its own');
    await snapshots.prepareActive('other', top);
    assert.ok((await readFile(join(await snapshots.mount('other'), 'large'))).equals(content));
    await snapshots.close();
  });

  it('a new volume gets the files of its image without their bytes', async () => {
    const [root, volume] = [join(dir, 'root'), join(dir, 'volume')];
    await mkdir(join(root, 'data'), { recursive: true });
    await mkdir(volume);
    await writeFile(join(root, 'data/large'), randomBytes(BYTES));
    const files = new DiskContainerFiles(() => assert.fail('no container is asked for'));
    const forVolume = await taken(() => files.copyTree(root, '/data', volume));
    assert.ok(forVolume < LITTLE, `${forVolume} bytes`);
    assert.equal((await readFile(join(volume, 'large'))).length, BYTES);
    await hasSharedBlocksOnly(join(volume, 'large'));
  });
});
