/** Where copied files go (Dockerfile reference, "COPY", "Destination"). */
import { posix } from 'node:path';
import type { CopyEntry } from '../../storage/tree-copier.ts';
import type { Selection } from './select-files.ts';

export interface Destination {
  /** Absolute, without a slash at its end. */
  readonly path: string;
  /** Written with a slash at its end, or several sources go there. */
  readonly isDirectory: boolean;
  /** Sources keep their directories, from `./` on where a source has it. */
  readonly parents: boolean;
}

/** The copies to be made; `isDirectoryThere` says whether the target has a directory at a path. */
export function copyEntries(
  selections: readonly Selection[],
  destination: Destination,
  isDirectoryThere: (path: string) => boolean,
): readonly CopyEntry[] {
  const into = destination.isDirectory || isDirectoryThere(destination.path);
  return selections.flatMap((selection) => {
    const base = baseOf(selection, destination, into);
    return selection.files
      .filter(({ below }) => !(selection.isDirectory && below === '' && !destination.parents))
      .map(({ below, path }) => ({ from: path, to: posix.join(base, below) }));
  });
}

/** Where what was selected itself goes. */
function baseOf(selection: Selection, destination: Destination, into: boolean): string {
  const { path, parents } = destination;
  if (parents) return posix.join(path, selection.source);
  if (selection.isDirectory) return path;
  return into ? posix.join(path, posix.basename(selection.source)) : path;
}
