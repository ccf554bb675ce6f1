/** `GET /containers/{id}/export`. */

import { releaseAfter } from '../release-after.ts';
import { publishContainerEvent } from './container-events.ts';
import { type ContainerFilesDeps, holdTree } from './hold-tree.ts';

/**
 * A tar stream of the root file system, without volumes and other mounts. The stream must be read, left, or its signal
 * aborted.
 */
export async function exportContainer(
  deps: ContainerFilesDeps,
  ref: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const held = await holdTree(deps, ref, 'root');
  publishContainerEvent(deps, held.document, { action: 'export' });
  return releaseAfter(held.tree.archive('/', { top: undefined }), held.release, signal);
}
