/** Routes of what is kept although nothing needs it. */
import { decodeFilters } from '../../wire/filters.ts';
import { decodeInteger } from '../../wire/query.ts';
import { type ApiContext, type Handler, queryFlag, queryText } from '../context.ts';
import { answer, type Handlers } from '../route-table.ts';

/** A limit in bytes; `keep-storage` is the older name of `reserved-space`. */
function space(c: ApiContext, ...names: readonly string[]): { bytes: number } | undefined {
  const [bytes] = names.flatMap((name) => decodeInteger(name, queryText(c, name)) ?? []);
  return bytes === undefined ? undefined : { bytes };
}

const prune: Handler = async (c, { backends }) => {
  const reservedSpace = space(c, 'reserved-space', 'keep-storage');
  const maxUsedSpace = space(c, 'max-used-space');
  const minFreeSpace = space(c, 'min-free-space');
  const pruned = await backends.caches.prune({
    all: queryFlag(c, 'all'),
    filters: decodeFilters(c.req.query('filters')),
    ...(reservedSpace === undefined ? {} : { reservedSpace }),
    ...(maxUsedSpace === undefined ? {} : { maxUsedSpace }),
    ...(minFreeSpace === undefined ? {} : { minFreeSpace }),
  });
  return c.json({ CachesDeleted: pruned.ids, SpaceReclaimed: pruned.reclaimedBytes });
};

export const buildCacheHandlers: Handlers = { 'POST /build/prune': answer(prune) };
