/** Copies what is in a directory, owners and all, by way of an archive. */
import type { FileTrees, TreeOwners } from '../../storage/file-trees.ts';

/** Trees of builds have the owners that the files have on disk. */
export const OWNERS_ON_DISK: TreeOwners = { keptIds: undefined, ofImage: new Map() };

/** Copies the contents of `path` in `from` into the directory `to`. */
export async function copyContents(
  trees: FileTrees,
  source: { readonly dir: string; readonly path: string },
  to: string,
): Promise<void> {
  const from = await trees.open(source.dir, [], OWNERS_ON_DISK);
  try {
    const target = await trees.open(to, [], OWNERS_ON_DISK);
    try {
      const archive = from.archive(source.path, { top: undefined });
      await target.extract('/', archive, { keepKinds: false, owner: undefined });
    } finally {
      await target.close();
    }
  } finally {
    await from.close();
  }
}
