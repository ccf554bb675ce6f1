/** A content store in memory, for tests of what stands above it. */
import { Readable } from 'node:stream';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { ContentStore, ExpectedBlob, StagedBlob } from '../content-store.ts';
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

  async open(digest: Digest, offset = 0): Promise<Readable> {
    return Readable.from([this.#blob(digest).subarray(offset)]);
  }

  async ingest(
    expected: ExpectedBlob,
    source: AsyncIterable<Uint8Array>,
  ): Promise<'written' | 'already-exists'> {
    if (this.#blobs.has(expected.digest)) return 'already-exists';
    const bytes = await collect(source);
    const { digest, sizeBytes } = expected;
    if (sizeBytes !== undefined && sizeBytes !== bytes.length) {
      throw wrongSize(digest, sizeBytes, bytes.length);
    }
    if (digestOf(bytes) !== digest) throw wrongDigest(digest);
    this.#blobs.set(digest, bytes);
    return 'written';
  }

  async stage(source: AsyncIterable<Uint8Array>): Promise<StagedBlob> {
    const bytes = await collect(source);
    const digest = digestOf(bytes);
    return {
      digest,
      sizeBytes: bytes.length,
      publish: async () => {
        if (this.#blobs.has(digest)) return 'already-exists';
        this.#blobs.set(digest, bytes);
        return 'written';
      },
      discard: async () => undefined,
    };
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

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
