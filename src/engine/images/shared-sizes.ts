/** How much of each image is shared with others: layers that several images stand on. */
import type { Digest } from '../../oci/digest.ts';
import type { ImageDeps } from './image-deps.ts';

/** Bytes of the layers that at least one other image has, by image id. Layers that got lost count nothing. */
export async function sharedSizes(
  deps: Pick<ImageDeps, 'store' | 'snapshots'>,
): Promise<ReadonlyMap<Digest, number>> {
  const images = deps.store.list();
  const users = new Map<Digest, number>();
  for (const { chainIds } of images) {
    for (const chainId of chainIds) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  }
  const sizes = new Map<Digest, number>();
  for (const [chainId, count] of users) {
    if (count < 2 || !(await deps.snapshots.hasCommitted(chainId))) continue;
    sizes.set(chainId, await deps.snapshots.committedSize(chainId));
  }
  return new Map(
    images.map(({ document, chainIds }) => [
      document.id,
      chainIds.reduce((sum, chainId) => sum + (sizes.get(chainId) ?? 0), 0),
    ]),
  );
}
