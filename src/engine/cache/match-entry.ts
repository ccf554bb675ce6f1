/** Filters of cache entries, as `docker builder prune --filter` and `builder.gc` have them. */
import type { CacheEntry } from '../../storage/cache-source.ts';
import { CACHE_FILTERS, decodeUnusedFor } from '../../wire/cache-filters.ts';
import { parseBoolean } from '../../wire/query.ts';

type Test = (entry: CacheEntry, value: string, nowMs: number) => boolean;

const truth = (wanted: string, is: boolean) => (wanted === '' ? true : parseBoolean(wanted)) === is;
const unused: Test = (entry, value, nowMs) =>
  nowMs - entry.lastUsedMs >= (decodeUnusedFor(value, nowMs) ?? Number.POSITIVE_INFINITY);

const TESTS: Readonly<Record<(typeof CACHE_FILTERS)[number], Test>> = {
  id: (entry, value) => entry.id.startsWith(value),
  type: (entry, value) => entry.type === value,
  description: (entry, value) => entry.description.includes(value),
  parent: (entry, value) => entry.parents.includes(value),
  parents: (entry, value) => entry.parents.includes(value),
  inuse: (entry, value) => truth(value, entry.inUse),
  shared: (entry, value) => truth(value, entry.shared),
  private: (entry, value) => truth(value, !entry.shared),
  until: unused,
  'unused-for': unused,
};

/** True when for each name one of its values holds. Names have been checked. */
export function matchesConditions(
  entry: CacheEntry,
  filter: Readonly<Record<string, readonly string[]>>,
  nowMs: number,
): boolean {
  return CACHE_FILTERS.every((name) => {
    const values = filter[name] ?? [];
    return values.length === 0 || values.some((value) => TESTS[name](entry, value, nowMs));
  });
}
