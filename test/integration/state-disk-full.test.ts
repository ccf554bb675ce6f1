import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Collection } from '../../src/state/collection.ts';
import { MountFlag, mount, UmountFlag, umount } from '../../src/sys/libc.ts';

interface Padded {
  readonly padding: string;
}

const decode = (raw: unknown) => raw as Padded;
const padded = (size: number): Padded => ({ padding: 'x'.repeat(size) });

describe('documents on a small disk', () => {
  let disk = '';
  before(() => {
    disk = mkdtempSync(join(tmpdir(), 'wherry-small-disk-'));
    mount({ source: 'none', target: disk, type: 'tmpfs', data: 'size=64k' });
  });
  after(() => {
    umount(disk, UmountFlag.detach);
    rmSync(disk, { recursive: true });
  });

  it('are not half made when it is full; what was there stays, and a retry after cleaning up works', async () => {
    const options = { dir: join(disk, 'things'), decode, documentName: 'thing.json' };
    const collection = await Collection.open(options);
    const kept = await collection.create('kept', padded(10));
    await writeFile(join(disk, 'ballast'), Buffer.alloc(48 << 10));
    const full = { kind: 'unavailable', message: /no space left on device.*free some disk space/ };
    await assert.rejects(collection.create('new', padded(30_000)), full);
    await assert.rejects(
      kept.update(() => padded(30_000)),
      full,
    );
    assert.deepEqual((await readdir(options.dir, { recursive: true })).toSorted(), [
      'kept',
      'kept/thing.json',
    ]);
    assert.deepEqual(kept.value, padded(10));
    await rm(join(disk, 'ballast'));
    await collection.create('new', padded(20_000));
    await kept.update(() => padded(20));
    const again = await Collection.open(options);
    assert.deepEqual(again.get('kept')?.value, padded(20));
    assert.deepEqual(again.keys().toSorted(), ['kept', 'new']);
  });

  it('say that a read-only disk is the reason, and lose nothing', async () => {
    const options = { dir: join(disk, 'read-only'), decode };
    const collection = await Collection.open(options);
    const document = await collection.create('a', padded(1));
    mount({ source: 'none', target: disk, flags: MountFlag.remount | MountFlag.readOnly });
    const readOnly = { kind: 'unavailable', message: /read-only/ };
    await assert.rejects(
      document.update(() => padded(2)),
      readOnly,
    );
    await assert.rejects(collection.remove('a'), readOnly);
    mount({ source: 'none', target: disk, flags: MountFlag.remount });
    await document.update(() => padded(3));
    assert.deepEqual(collection.get('a')?.value, padded(3));
    await collection.remove('a');
    assert.deepEqual(await readdir(options.dir), []);
  });
});
