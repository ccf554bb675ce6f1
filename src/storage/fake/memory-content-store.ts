/** A content store in memory, for tests of what stands above it. */
import { Readable } from 'node:stream';
import { type Digest, DigestCounter } from '../../oci/digest.ts';
import type { ContentStore, ExpectedBlob } from '../content-store.ts';
import { blobTooLarge, noSuchBlob, wrongDigest, wrongSize } from '../storage-errors.ts';

export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, Uint8Array>();

  async stat(digest: Digest): Promise<number | undefined> {
    return this.#blobs.get(digest)?.length;
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const blob = this.#blob(digest);
    if (blob.length > maxBytes) throw blobTooLarge(digest, maxBytes);
    return blob;
  }

  async open(digest: Digest): Promise<Readable> {
    return Readable.from([this.#blob(digest)]);
  }

  async ingest(
    expected: ExpectedBlob,
    source: AsyncIterable<Uint8Array>,
  ): Promise<'written' | 'already-exists'> {
    if (this.#blobs.has(expected.digest)) return 'already-exists';
    const counter = new DigestCounter();
    const chunks: Uint8Array[] = [];
    for await (const chunk of source) {
      counter.update(chunk);
      chunks.push(chunk);
    }
    const { digest, sizeBytes } = expected;
    if (sizeBytes !== undefined && sizeBytes !== counter.sizeBytes) {
      throw wrongSize(digest, sizeBytes, counter.sizeBytes);
    }
    if (counter.digest() !== digest) throw wrongDigest(digest);
    this.#blobs.set(digest, Buffer.concat(chunks));
    return 'written';
  }

  async remove(digest: Digest): Promise<void> {
    this.#blobs.delete(digest);
  }

  async list(): Promise<readonly Digest[]> {
    return [...this.#blobs.keys()];
  }

  async removeStaleIngests(): Promise<number> {
    return 0;
  }

  #blob(digest: Digest): Uint8Array {
    const blob = this.#blobs.get(digest);
    if (blob === undefined) throw noSuchBlob(digest);
    return blob;
  }
}
