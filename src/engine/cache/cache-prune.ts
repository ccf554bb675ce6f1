/** What a client may ask of the caches, and what comes of it. */
import type { SpaceAmount } from '../../handshake/gc-settings.ts';
import type { CacheEntry } from '../../storage/cache-source.ts';
import type { Filters } from '../../wire/filters.ts';

/** Which entries are to go. Limits are those of BuildKit's policies; without any, all that match go. */
export interface CachePrune {
  /** Also what is shared with images, and what the cache itself needs. */
  readonly all: boolean;
  readonly filters?: Filters;
  /** Another condition, for clients whose filters have a syntax of their own. */
  matches?(entry: CacheEntry): boolean;
  /** Entries that were of use since then stay. */
  readonly keepDurationMs?: number;
  readonly reservedSpace?: SpaceAmount;
  readonly maxUsedSpace?: SpaceAmount;
  readonly minFreeSpace?: SpaceAmount;
}

export interface CachePruned {
  readonly ids: readonly string[];
  readonly reclaimedBytes: number;
}

/** What is kept although nothing needs it: results of builds, beginnings of downloads. */
export interface CacheBackend {
  usage(): Promise<readonly CacheEntry[]>;
  prune(request: CachePrune): Promise<CachePruned>;
}
