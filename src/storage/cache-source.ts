/**
 * Port: things that are kept although nothing needs them, because they may save work later: results of builds,
 * beginnings of downloads. A source knows its own entries and when each was of use last, durably; which of them go is
 * decided over all sources together (`engine/cache`), by `builder.gc` of the daemon's settings.
 */
import type { Digest } from '../oci/digest.ts';

export interface CacheEntry {
  /** Unique within the source. */
  readonly id: string;
  /** BuildKit's word: `regular`, `source.local`, `exec.cachemount`, `source.git.checkout`, `frontend`, `internal`; ours: `download`. */
  readonly type: string;
  /** For people. */
  readonly description: string;
  /** Bytes that are freed when it goes; of what it shares with images nothing counts. */
  readonly sizeBytes: number;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  readonly lastUsedMs: number;
  readonly usageCount: number;
  /** Something works with it now: it stays. */
  readonly inUse: boolean;
  /** An image has the same layers. */
  readonly shared: boolean;
  /** Entries of the same source that it was made from. */
  readonly parents: readonly string[];
}

export interface CacheSource {
  /** Blobs and layers (by digest and chainID) that no sweep may take while the source has them. */
  holds(): Iterable<Digest>;
  entries(): Promise<readonly CacheEntry[]>;
  /**
   * Removes entries. Those that came into use meanwhile, or that others which stay stand on, are passed over.
   * Resolves to the ids of those that went.
   */
  evict(ids: readonly string[]): Promise<readonly string[]>;
}
