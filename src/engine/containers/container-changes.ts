/** `GET /containers/{id}/changes`. */
import type { PathChange } from '../../storage/snapshot-diff.ts';
import type { ContainerDeps } from './container-deps.ts';
import { mountedPlaces } from './mounted-places.ts';

/** Every path that differs from the image, directories before what is in them. */
export async function containerChanges(
  deps: Pick<ContainerDeps, 'registry' | 'locks' | 'snapshots'>,
  ref: string,
): Promise<readonly PathChange[]> {
  const { id } = deps.registry.resolve(ref);
  // Under the lock, so that nobody removes the files meanwhile.
  return await deps.locks.run(id, async () => {
    const document = deps.registry.get(id);
    const changes: PathChange[] = [];
    const diff = deps.snapshots.diff(id, mountedPlaces(document));
    for await (const change of diff.changes()) changes.push(change);
    return changes;
  });
}
