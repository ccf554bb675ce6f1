/** `docker image prune`. */
import type { ImageRemoval } from '../../api/image-backend.ts';
import { assertKnownFilters, booleanFilter, type Filters } from '../../wire/filters.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
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
  let { reclaimedBytes } = await collectGarbage(deps);
  for (const record of deps.store.list()) {
    if (!predicates.every((accepts) => accepts(record))) continue;
    const removed = await deleteImage(deps, record);
    removals.push(...removed.removals);
    reclaimedBytes += removed.reclaimedBytes;
  }
  return { removals, reclaimedBytes };
}
