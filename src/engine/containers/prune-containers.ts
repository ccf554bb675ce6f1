/** `POST /containers/prune`. */
import { assertKnownFilters, type Filters } from '../../wire/filters.ts';
import { matchesLabels } from '../label-filter.ts';
import { untilMs } from '../until-filter.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { removeContainer } from './remove-container.ts';

const FILTERS = ['until', 'label', 'label!'];

/** Removes every container that has no process and matches the filters. */
export async function pruneContainers(
  deps: ContainerDeps,
  filters: Filters,
): Promise<{ deleted: readonly string[]; reclaimedBytes: number }> {
  assertKnownFilters(filters, FILTERS);
  const beforeMs = untilMs(filters, deps.clock.now());
  const deleted: string[] = [];
  let reclaimedBytes = 0;
  for (const document of deps.registry.all()) {
    if (!isPrunable(document, filters, beforeMs)) continue;
    reclaimedBytes += await deps.snapshots.activeSize(document.id);
    await removeContainer(deps, document.id, { force: false, volumes: false });
    deleted.push(document.id);
  }
  return { deleted, reclaimedBytes };
}

function isPrunable(document: ContainerDocument, filters: Filters, beforeMs: number): boolean {
  const atRest = ['created', 'exited', 'dead'].includes(document.status.state);
  const oldEnough = Date.parse(document.createdAt) < beforeMs;
  return atRest && oldEnough && matchesLabels(document.config.Labels ?? {}, filters);
}
