/** The blob store on disk. */
import assert from 'node:assert/strict';
import { lstat, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { DiskContentStore } from '../../src/storage/content/disk-content-store.ts';
import { testContentStoreContract } from '../contract/content-store.ts';

async function makeStore() {
  const dir = await mkdtemp(join(tmpdir(), 'content-'));
  return {
    dir,
    store: await DiskContentStore.open(dir),
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}

async function* hello(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('hello');
}

testContentStoreContract('DiskContentStore', makeStore);

describe('the blob store on disk', () => {
  it('is an OCI image layout of blobs that nobody may write to', async () => {
    const { dir, store, dispose } = await makeStore();
    const digest = digestOf('hello');
    await store.ingest({ digest }, hello());
    const marker = JSON.parse(await readFile(join(dir, 'oci-layout'), 'utf8'));
    assert.deepEqual(marker, { imageLayoutVersion: '1.0.0' });
    const blob = await lstat(join(dir, 'blobs/sha256', digest.slice('sha256:'.length)));
    assert.equal(blob.mode & 0o777, 0o444);
    await dispose();
  });

  it('takes a file of its own disk over without copying it', async () => {
    const { dir, store, dispose } = await makeStore();
    const path = join(dir, 'ingest/spooled');
    await writeFile(path, 'hello');
    const digest = digestOf('hello');
    await store.adopt(digest, path);
    const blob = await lstat(join(dir, 'blobs/sha256', digest.slice('sha256:'.length)));
    assert.deepEqual([blob.ino, blob.mode & 0o777], [(await lstat(path)).ino, 0o444]);
    await dispose();
  });

  it('keeps its blobs over a restart and drops what a crash left half-written', async () => {
    const { dir, store, dispose } = await makeStore();
    const digest = digestOf('hello');
    await store.ingest({ digest }, hello());
    await writeFile(join(dir, 'ingest/half'), 'hel');
    const again = await DiskContentStore.open(dir);
    assert.equal(await again.removeStaleIngests(), 1);
    assert.deepEqual(await again.list(), [digest]);
    await dispose();
  });
});
