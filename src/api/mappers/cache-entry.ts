/** Entries of caches on the wire. */
import { toIsoNano } from '../../shared/clock.ts';
import type { CacheEntry } from '../../storage/cache-source.ts';

/** `BuildCache` of the reference. */
export function toCacheEntry(entry: CacheEntry): object {
  return {
    ID: entry.id,
    Parents: entry.parents.length === 0 ? null : entry.parents,
    Type: entry.type,
    Description: entry.description,
    InUse: entry.inUse,
    Shared: entry.shared,
    Size: entry.sizeBytes,
    CreatedAt: toIsoNano(entry.createdMs),
    LastUsedAt: toIsoNano(entry.lastUsedMs),
    UsageCount: entry.usageCount,
  };
}
