/** A content store in memory, for tests of what stands above it. */
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { ContentStore, ExpectedBlob, IngestOptions, StagedBlob } from '../content-store.ts';
import { MIN_PARTIAL_BYTES, type PartialBlobs } from '../partial-blobs.ts';
import { blobTooLarge, noSuchBlob, wrongDigest, wrongSize } from '../storage-errors.ts';

export class MemoryContentStore implements ContentStore {
  readonly partials: PartialBlobs;
  readonly #blobs = new Map<Digest, Uint8Array>();
  readonly #partials = new Map<Digest, { bytes: Uint8Array; lastUsedMs: number }>();

  constructor() {
    this.partials = {
      list: async () =>
        [...this.#partials].map(([digest, { bytes, lastUsedMs }]) => {
          return { digest, sizeBytes: bytes.length, lastUsedMs };
        }),
      open: async (digest) => {
        const bytes = this.#partials.get(digest)?.bytes;
        if (bytes === undefined) return undefined;
        this.#keep(digest, bytes);
        return { sizeBytes: bytes.length, bytes: Readable.from([bytes]) };
      },
      setAside: async (digest) => {
        this.#keep(digest, this.#blobs.get(digest) ?? new Uint8Array());
        this.#blobs.delete(digest);
      },
      remove: async (digest) => {
        this.#partials.delete(digest);
      },
    };
  }

  async stat(digest: Digest): Promise<number | undefined> {
    return this.#blobs.get(digest)?.length;
  }

  async verify(digest: Digest): Promise<'whole' | 'missing'> {
    return this.#blobs.has(digest) ? 'whole' : 'missing';
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
    options: IngestOptions = {},
  ): Promise<'written' | 'already-exists'> {
    if (this.#blobs.has(expected.digest) && options.replaces !== true) return 'already-exists';
    const chunks: Uint8Array[] = [];
    try {
      for await (const chunk of source) chunks.push(chunk);
    } catch (error) {
      if (options.keepsBeginning?.() === true) this.#keep(expected.digest, Buffer.concat(chunks));
      throw error;
    }
    const bytes = Buffer.concat(chunks);
    const { digest, sizeBytes } = expected;
    if (sizeBytes !== undefined && sizeBytes !== bytes.length) {
      throw wrongSize(digest, sizeBytes, bytes.length);
    }
    if (digestOf(bytes) !== digest) throw wrongDigest(digest);
    this.#blobs.set(digest, bytes);
    this.#partials.delete(digest);
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

  async adopt(digest: Digest, path: string): Promise<'written' | 'already-exists'> {
    if (this.#blobs.has(digest)) return 'already-exists';
    this.#blobs.set(digest, await readFile(path));
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

  #keep(digest: Digest, bytes: Uint8Array): void {
    if (bytes.length < MIN_PARTIAL_BYTES) return;
    if ((this.#partials.get(digest)?.bytes.length ?? 0) > bytes.length) return;
    this.#partials.set(digest, { bytes, lastUsedMs: Date.now() });
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
