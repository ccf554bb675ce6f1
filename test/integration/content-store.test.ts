/** The blob store on disk. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { DiskContentStore } from '../../src/storage/content/disk-content-store.ts';
import { MIN_PARTIAL_BYTES } from '../../src/storage/partial-blobs.ts';
import { readBootId } from '../../src/sys/proc/process-identity.ts';
import { testContentStoreContract } from '../contract/content-store.ts';
import { eventually } from '../support/eventually.ts';

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

  it('keeps what an engine that died has downloaded, if the machine did not stop as well', async () => {
    const { dir, store, dispose } = await makeStore();
    const begun = Buffer.alloc(MIN_PARTIAL_BYTES, 'begun');
    const digest = digestOf('hello');
    const died = new AbortController();
    const download = async function* () {
      yield begun;
      await once(died.signal, 'abort');
      throw new Error('the engine is gone');
    };
    const lost = store.ingest({ digest }, download(), { isResumable: true });
    const [name = ''] = await eventually(async () => {
      const names = await readdir(join(dir, 'ingest'));
      const size = (await lstat(join(dir, 'ingest', names[0] ?? ''))).size;
      return size === begun.length && names;
    });
    const boot = (await readBootId()).replaceAll('-', '');
    assert.match(name, new RegExp(`-${boot}-`));
    await writeFile(join(dir, 'ingest', name.replace(boot, 'abc')), Buffer.alloc(begun.length + 1));
    const again = await DiskContentStore.open(dir);
    assert.equal(await again.removeStaleIngests(), 1);
    const kept = await again.partials.open(digest);
    assert.deepEqual(Buffer.concat((await kept?.bytes.toArray()) ?? []), begun);
    died.abort();
    await assert.rejects(lost, /the engine is gone/);
    await dispose();
  });
});
