/** What every content store must do. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { kindOf } from '../../src/shared/errors.ts';
import type { ContentStore } from '../../src/storage/content-store.ts';
import { MIN_PARTIAL_BYTES } from '../../src/storage/partial-blobs.ts';

/** A store for one test, and how to get rid of it. */
export interface ContentStoreFixture {
  readonly store: ContentStore;
  dispose(): Promise<void>;
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw new Error('the line broke');
}

/** Runs the suite; `makeStore` is called for each test. */
export function testContentStoreContract(
  name: string,
  makeStore: () => Promise<ContentStoreFixture>,
): void {
  describe(`${name} as a content store`, () => {
    let fixture: ContentStoreFixture;
    let store: ContentStore;
    const hello = { digest: digestOf('hello world'), sizeBytes: 11 };
    beforeEach(async () => {
      fixture = await makeStore();
      store = fixture.store;
    });
    afterEach(() => fixture.dispose());

    const isEmpty = async () => assert.deepEqual(await store.list(), []);

    it('gives back what was written', async () => {
      assert.equal(await store.ingest(hello, chunks('hello ', 'world')), 'written');
      assert.equal(await store.stat(hello.digest), 11);
      assert.equal(Buffer.from(await store.read(hello.digest, 100)).toString(), 'hello world');
      assert.deepEqual(await store.list(), [hello.digest]);
    });

    it('streams a blob', async () => {
      await store.ingest(hello, chunks('hello world'));
      const pieces: Buffer[] = [];
      for await (const piece of await store.open(hello.digest)) pieces.push(piece as Buffer);
      assert.equal(Buffer.concat(pieces).toString(), 'hello world');
    });

    it('keeps nothing of bytes with another digest', async () => {
      await assert.rejects(store.ingest(hello, chunks('hello_world')), /verification failed/);
      await isEmpty();
    });

    it('keeps nothing of a stream that is too short or too long', async () => {
      for (const text of ['hello', 'hello world, and more']) {
        const failure = await store.ingest(hello, chunks(text)).catch((error: unknown) => error);
        assert.equal(kindOf(failure), 'corrupt');
      }
      await isEmpty();
    });

    it('passes on the error of the source and keeps nothing', async () => {
      await assert.rejects(store.ingest(hello, broken()), /the line broke/);
      await isEmpty();
      assert.equal(await store.removeStaleIngests(), 0);
    });

    it('keeps the beginning of a stream that broke where it is told to, until the whole is there', async () => {
      const whole = Buffer.alloc(3 * MIN_PARTIAL_BYTES, 'whole');
      const blob = { digest: digestOf(whole), sizeBytes: whole.length };
      const breakOff = async (sizeBytes: number, isKept: boolean) => {
        const source = (async function* () {
          yield whole.subarray(0, sizeBytes);
          throw new Error('the line broke');
        })();
        const options = { keepsBeginning: () => isKept };
        await assert.rejects(store.ingest(blob, source, options), /the line broke/);
        return (await store.partials.list()).map((partial) => partial.sizeBytes);
      };
      assert.deepEqual(await breakOff(2 * MIN_PARTIAL_BYTES, false), []);
      assert.deepEqual(await breakOff(MIN_PARTIAL_BYTES - 1, true), []);
      assert.deepEqual(await breakOff(2 * MIN_PARTIAL_BYTES, true), [2 * MIN_PARTIAL_BYTES]);
      assert.deepEqual(await breakOff(MIN_PARTIAL_BYTES, true), [2 * MIN_PARTIAL_BYTES]);
      assert.equal(await store.removeStaleIngests(), 0);
      const pieces: Buffer[] = [];
      const opened = await store.partials.open(blob.digest);
      for await (const piece of opened?.bytes ?? []) pieces.push(piece as Buffer);
      assert.ok(Buffer.concat(pieces).equals(whole.subarray(0, 2 * MIN_PARTIAL_BYTES)));
      await isEmpty();
      await store.ingest(blob, Readable.from([whole]));
      assert.deepEqual(await store.partials.list(), []);
    });

    it('takes the name of a blob away and keeps its bytes', async () => {
      const whole = Buffer.alloc(MIN_PARTIAL_BYTES, 'whole');
      const digest = digestOf(whole);
      await store.ingest({ digest }, Readable.from([whole]));
      await store.partials.setAside(digest);
      await isEmpty();
      assert.equal((await store.partials.open(digest))?.sizeBytes, whole.length);
      await store.partials.remove(digest);
      await store.partials.remove(digest);
      assert.equal(await store.partials.open(digest), undefined);
    });

    it('shows a blob of unknown digest once it is published', async () => {
      const staged = await store.stage(chunks('hello ', 'world'));
      assert.deepEqual([staged.digest, staged.sizeBytes], [hello.digest, 11]);
      await isEmpty();
      assert.equal(await staged.publish(), 'written');
      assert.equal(Buffer.from(await store.read(hello.digest, 100)).toString(), 'hello world');
      assert.equal(await (await store.stage(chunks('hello world'))).publish(), 'already-exists');
      assert.equal(await store.removeStaleIngests(), 0);
    });

    it('takes a file over as a blob, once, and leaves the file', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'adopted-'));
      const path = join(dir, 'file');
      await writeFile(path, 'hello world');
      assert.equal(await store.adopt(hello.digest, path), 'written');
      assert.equal(await store.adopt(hello.digest, path), 'already-exists');
      assert.equal(await readFile(path, 'utf8'), 'hello world');
      await rm(dir, { recursive: true });
      assert.equal(Buffer.from(await store.read(hello.digest, 100)).toString(), 'hello world');
      assert.equal(await store.removeStaleIngests(), 0);
    });

    it('keeps nothing of what was staged and discarded, or broke', async () => {
      const staged = await store.stage(chunks('hello world'));
      await staged.discard();
      await assert.rejects(store.stage(broken()), /the line broke/);
      await isEmpty();
      assert.equal(await store.removeStaleIngests(), 0);
    });

    it('says so when a blob is there already', async () => {
      await store.ingest(hello, chunks('hello world'));
      assert.equal(await store.ingest(hello, chunks('hello world')), 'already-exists');
    });

    it('lets two writers of one blob both succeed', async () => {
      await Promise.all([
        store.ingest(hello, chunks('hello world')),
        store.ingest(hello, chunks('hello ', 'world')),
      ]);
      assert.deepEqual(await store.list(), [hello.digest]);
    });

    it('removes a blob, also one that is not there', async () => {
      await store.ingest(hello, chunks('hello world'));
      await store.remove(hello.digest);
      await store.remove(hello.digest);
      assert.equal(await store.stat(hello.digest), undefined);
    });

    it('refuses to read what is missing or too large', async () => {
      const missing: Digest = digestOf('nothing');
      assert.equal(kindOf(await store.read(missing, 10).catch((e: unknown) => e)), 'not-found');
      assert.equal(kindOf(await store.open(missing).catch((e: unknown) => e)), 'not-found');
      await store.ingest(hello, chunks('hello world'));
      assert.equal(kindOf(await store.read(hello.digest, 10).catch((e: unknown) => e)), 'corrupt');
    });
  });
}
