/** `docker history`: the steps that made an image, newest first. */

import type { ImageHistoryEntry } from '../../api/image-backend.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageHistory } from '../../oci/image-spec.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import { toFamiliar } from './to-image-view.ts';

/** An image without a recorded history shows one step for each layer. */
export async function imageHistory(
  deps: Pick<ImageDeps, 'snapshots'>,
  record: ImageRecord,
): Promise<readonly ImageHistoryEntry[]> {
  const steps: readonly ImageHistory[] =
    record.config.history ?? record.chainIds.map(() => ({}) as ImageHistory);
  const layers = [...record.chainIds];
  const entries: ImageHistoryEntry[] = [];
  for (const [index, step] of steps.entries()) {
    const chainId = step.empty_layer === true ? undefined : layers.shift();
    const isNewest = index === steps.length - 1;
    entries.unshift({
      id: isNewest ? record.document.id : '<missing>',
      createdSeconds: secondsOf(step.created),
      createdBy: step.created_by ?? '',
      tags: isNewest ? record.document.tags.map(toFamiliar) : [],
      sizeBytes: await sizeOf(deps, chainId),
      comment: step.comment ?? '',
    });
  }
  return entries;
}

async function sizeOf(
  deps: Pick<ImageDeps, 'snapshots'>,
  chainId: Digest | undefined,
): Promise<number> {
  if (chainId === undefined || !(await deps.snapshots.hasCommitted(chainId))) return 0;
  return await deps.snapshots.committedSize(chainId);
}

function secondsOf(time: string | undefined): number {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}
