/**
 * Port: what is kept although nothing needs it, for BuildKit's clients (`docker buildx du`, `docker builder prune`).
 * Which entries a build finds is the solver's own business; which of them go is decided elsewhere, over all caches.
 */
import type { CacheEntry } from '../storage/cache-source.ts';

interface SpaceLimit {
  readonly bytes: number;
}

/** What may go. All conditions hold together; without a limit everything that matches goes. */
export interface CachePrune {
  /** Also what internal work and images share. */
  readonly all: boolean;
  matches(entry: CacheEntry): boolean;
  /** Entries that were of use since then stay. */
  readonly keepDurationMs: number;
  readonly reservedSpace: SpaceLimit;
  readonly maxUsedSpace: SpaceLimit;
  readonly minFreeSpace: SpaceLimit;
}

export interface BuildCache {
  usage(): Promise<readonly CacheEntry[]>;
  /** Never touches what is in use. Resolves to the ids of what went. */
  prune(prune: CachePrune): Promise<{ readonly ids: readonly string[] }>;
}
