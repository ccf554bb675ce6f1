/** `docker image prune`. */
import type { ImageRemoval } from '../../api/image-backend.ts';
import type { Digest } from '../../oci/digest.ts';
import { assertKnownFilters, booleanFilter, type Filters } from '../../wire/filters.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
import { publishPrune } from './image-events.ts';
import type { ImageRecord } from './image-store.ts';
import { commonPredicates } from './list-images.ts';
import { deleteImage, type RemovedImage } from './remove-image.ts';

const KNOWN_FILTERS = ['dangling', 'label', 'label!', 'until'];

/** Deletes images without a tag (with `dangling=false`: all) that no container was made from. */
export async function pruneImages(deps: ImageDeps, filters: Filters): Promise<RemovedImage> {
  assertKnownFilters(filters, KNOWN_FILTERS);
  const danglingOnly = booleanFilter(filters, 'dangling') ?? true;
  const predicates = [
    ...commonPredicates(filters, deps.clock.now()),
    (record: ImageRecord) => !danglingOnly || record.document.tags.length === 0,
    (record: ImageRecord) => deps.usedBy(record.document.id).length === 0,
  ];
  const removals: ImageRemoval[] = [];
  // Nobody can delete images of shared stores; with `all` at least what was unpacked of idle ones goes.
  const idle = danglingOnly ? [] : idleSharedLayers(deps);
  let { reclaimedBytes } = await collectGarbage(deps, { dropped: idle });
  for (const record of deps.store.list()) {
    if (record.shared !== undefined) continue;
    if (!predicates.every((accepts) => accepts(record))) continue;
    const removed = await deleteImage(deps, record);
    removals.push(...removed.removals);
    reclaimedBytes += removed.reclaimedBytes;
  }
  publishPrune(deps, reclaimedBytes);
  return { removals, reclaimedBytes };
}

function idleSharedLayers(deps: ImageDeps): readonly Digest[] {
  const records = deps.store.list();
  const isIdle = ({ document, shared }: ImageRecord) =>
    shared !== undefined && deps.usedBy(document.id).length === 0;
  const needed = new Set(records.filter((record) => !isIdle(record)).flatMap((it) => it.chainIds));
  return records.filter(isIdle).flatMap(({ chainIds }) => chainIds.filter((id) => !needed.has(id)));
}
