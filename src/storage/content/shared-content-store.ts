/** The store's own blobs, and beneath them those of shared layouts, which are read where they are and never written. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Digest } from '../../oci/digest.ts';
import { systemCode } from '../../shared/errors.ts';
import type { ContentStore, ExpectedBlob, IngestOptions, StagedBlob } from '../content-store.ts';
import type { PartialBlobs } from '../partial-blobs.ts';
import type { SharedLayouts } from '../shared-layouts.ts';
import { blobOfUnreadableStore, blobTooLarge, noSuchBlob } from '../storage-errors.ts';
import { digestOfStream } from './digest-of-stream.ts';

export class SharedContentStore implements ContentStore {
  readonly partials: PartialBlobs;
  readonly #own: ContentStore;
  readonly #layouts: SharedLayouts;

  constructor(own: ContentStore, layouts: SharedLayouts) {
    this.partials = own.partials;
    this.#own = own;
    this.#layouts = layouts;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    return (await this.#own.stat(digest)) ?? (await this.#layouts.locate(digest))?.sizeBytes;
  }

  async verify(digest: Digest): Promise<'whole' | 'damaged' | 'missing'> {
    const own = await this.#own.verify(digest);
    const shared = own === 'missing' ? await this.#layouts.locate(digest) : undefined;
    if (shared === undefined) return own;
    try {
      const actual = await digestOfStream(createReadStream(shared.path));
      return actual === digest ? 'whole' : 'damaged';
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return 'damaged';
    }
  }

  async read(digest: Digest, maxBytes: number): Promise<Uint8Array> {
    const shared = await this.#sharedOnly(digest);
    if (shared === undefined) return await this.#own.read(digest, maxBytes);
    if (shared.sizeBytes > maxBytes) throw blobTooLarge(digest, maxBytes);
    return await readFile(shared.path);
  }

  async open(digest: Digest, offset = 0): Promise<Readable> {
    const shared = await this.#sharedOnly(digest);
    if (shared === undefined) return await this.#own.open(digest, offset);
    return createReadStream(shared.path, { start: offset, highWaterMark: 256 * 1024 });
  }

  async ingest(
    expected: ExpectedBlob,
    source: AsyncIterable<Uint8Array>,
    options: IngestOptions = {},
  ): Promise<'written' | 'already-exists'> {
    const isThere = options.replaces !== true && (await this.stat(expected.digest)) !== undefined;
    return isThere ? 'already-exists' : await this.#own.ingest(expected, source, options);
  }

  stage(source: AsyncIterable<Uint8Array>): Promise<StagedBlob> {
    return this.#own.stage(source);
  }

  async adopt(digest: Digest, path: string): Promise<'written' | 'already-exists'> {
    const isThere = (await this.stat(digest)) !== undefined;
    return isThere ? 'already-exists' : await this.#own.adopt(digest, path);
  }

  remove(digest: Digest): Promise<void> {
    return this.#own.remove(digest);
  }

  /** Our own ones: those of others are not ours to sweep. */
  list(): Promise<readonly Digest[]> {
    return this.#own.list();
  }

  removeStaleIngests(): Promise<number> {
    return this.#own.removeStaleIngests();
  }

  /** Undefined when the own store has it. `not-found` where nobody does, naming layouts that cannot be read. */
  async #sharedOnly(digest: Digest) {
    if ((await this.#own.stat(digest)) !== undefined) return undefined;
    const shared = await this.#layouts.locate(digest);
    if (shared !== undefined) return shared;
    const [unreadable] = this.#layouts.unreadable();
    throw unreadable === undefined ? noSuchBlob(digest) : blobOfUnreadableStore(digest, unreadable);
  }
}
