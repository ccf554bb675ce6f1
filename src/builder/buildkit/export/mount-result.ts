/** The files of a built image, mounted for as long as they are read. */
import { newContainerId } from '../../../shared/ids.ts';
import type { LayerOwners } from '../../../storage/layer-owners.ts';
import type { BuiltImage } from '../../solver.ts';
import type { ExportDeps } from './export-deps.ts';

/** Calls `use` with the root file system of the image, and the owners that its files should have and cannot. */
export async function withMounted<T>(
  { snapshots }: Pick<ExportDeps, 'snapshots'>,
  image: BuiltImage,
  use: (rootfsDir: string, owners: LayerOwners) => Promise<T>,
): Promise<T> {
  // Like a container's: the next engine removes what has no container.
  const key = newContainerId();
  await snapshots.prepareActive(key, image.layers.at(-1)?.chainId);
  try {
    return await use(await snapshots.mount(key), await snapshots.ownersBelow(key));
  } finally {
    await snapshots.unmount(key);
    await snapshots.removeActive(key);
  }
}
