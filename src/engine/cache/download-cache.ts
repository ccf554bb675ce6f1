/** Beginnings of broken downloads as a cache: each saves its bytes when the same blob is pulled again. */
import type { Digest } from '../../oci/digest.ts';
import type { CacheEntry, CacheSource } from '../../storage/cache-source.ts';
import type { PartialBlob, PartialBlobs } from '../../storage/partial-blobs.ts';
import type { Leases } from '../images/leases.ts';

/** Word for these entries in filters. */
export const DOWNLOAD_TYPE = 'download';

export class DownloadCache implements CacheSource {
  readonly #partials: PartialBlobs;
  readonly #leases: Leases;

  constructor(partials: PartialBlobs, leases: Leases) {
    this.#partials = partials;
    this.#leases = leases;
  }

  /** They have no names in the store. */
  holds(): Iterable<Digest> {
    return [];
  }

  async entries(): Promise<readonly CacheEntry[]> {
    return (await this.#partials.list()).map((partial) => this.#toEntry(partial));
  }

  /** No pull begins to use one while they are removed. */
  evict(ids: readonly string[]): Promise<readonly string[]> {
    return this.#leases.exclusively(async () => {
      const gone: string[] = [];
      for (const { digest } of await this.#partials.list()) {
        if (!ids.includes(digest) || this.#leases.isHeld(digest)) continue;
        await this.#partials.remove(digest);
        gone.push(digest);
      }
      return gone;
    });
  }

  #toEntry({ digest, sizeBytes, lastUsedMs }: PartialBlob): CacheEntry {
    return {
      id: digest,
      type: DOWNLOAD_TYPE,
      description: `beginning of a broken download of ${digest}`,
      sizeBytes,
      createdMs: lastUsedMs,
      lastUsedMs,
      usageCount: 1,
      inUse: this.#leases.isHeld(digest),
      shared: false,
      parents: [],
    };
  }
}
