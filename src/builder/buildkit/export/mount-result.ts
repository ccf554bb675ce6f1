/** The files of a built image, mounted for as long as they are read. */
import { randomId } from '../../../shared/ids.ts';
import type { LayerOwners } from '../../../storage/layer-owners.ts';
import type { BuiltImage } from '../../solver.ts';
import type { ExportDeps } from './export-deps.ts';

/** Owners' keys of snapshots that exports hold begin like this; what a crash left is removed by it. */
export const EXPORT_KEY_PREFIX = 'build-export-';

/** Calls `use` with the root file system of the image, and the owners that its files should have and cannot. */
export async function withMounted<T>(
  { snapshots }: Pick<ExportDeps, 'snapshots'>,
  image: BuiltImage,
  use: (rootfsDir: string, owners: LayerOwners) => Promise<T>,
): Promise<T> {
  const key = `${EXPORT_KEY_PREFIX}${randomId()}`;
  await snapshots.prepareActive(key, image.layers.at(-1)?.chainId);
  try {
    return await use(await snapshots.mount(key), await snapshots.ownersBelow(key));
  } finally {
    await snapshots.unmount(key);
    await snapshots.removeActive(key);
  }
}
