/** `GET` and `HEAD /containers/{id}/archive`: files out of a container. */
import type { PathStat } from '../../storage/file-trees.ts';
import { releaseAfter } from '../release-after.ts';
import { pathError } from './archive-errors.ts';
import { archiveName, containerPath } from './archive-paths.ts';
import { publishContainerEvent } from './container-events.ts';
import { type ContainerFilesDeps, type HeldTree, holdTree } from './hold-tree.ts';

/** What is at a path of the container. `not-found` when nothing is. */
export async function statContainerPath(
  deps: ContainerFilesDeps,
  ref: string,
  path: string,
): Promise<PathStat> {
  const held = await holdTree(deps, ref, 'all');
  try {
    return await statIn(held, { ref, path });
  } finally {
    await held.release();
  }
}

/** A tar stream of what is at a path, with its description. The stream must be read, left, or its signal aborted. */
export async function archiveContainerPath(
  deps: ContainerFilesDeps,
  request: { readonly ref: string; readonly path: string },
  signal: AbortSignal,
): Promise<{ stat: PathStat; tar: AsyncIterable<Uint8Array> }> {
  const held = await holdTree(deps, request.ref, 'all');
  try {
    const stat = await statIn(held, request);
    const path = containerPath(request.path);
    const tar = held.tree.archive(path, { top: archiveName(path) });
    publishContainerEvent(deps, held.document, { action: 'archive-path' });
    return { stat, tar: releaseAfter(tar, held.release, signal) };
  } catch (error) {
    await held.release();
    throw error;
  }
}

async function statIn(
  { tree }: HeldTree,
  { ref, path }: { readonly ref: string; readonly path: string },
): Promise<PathStat> {
  try {
    return await tree.stat(containerPath(path));
  } catch (error) {
    throw pathError(error, path, ref);
  }
}
