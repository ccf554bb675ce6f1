/** `RUN --mount=type=bind`. */
import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import { invariant } from '../../shared/errors.ts';
import { newContainerId } from '../../shared/ids.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { sourceNotFound } from '../builder-errors.ts';
import { copyContents } from '../contexts/copy-contents.ts';
import type { RunMount } from './run-mounts.ts';

/** A tree, or a path in it. What a writable one is written is lost with the command. */
export async function bindTree(
  work: { readonly deps: BuilderDeps; readonly undo: CleanupStack },
  { options, tree }: RunMount,
  destination: string,
): Promise<SpecMount> {
  invariant(tree !== undefined, 'a bind mount has a tree');
  const isWritable = options.readOnly === false;
  const dir = isWritable
    ? await scratchCopy(work, (await tree.open()).dir)
    : (await tree.open()).dir;
  const source = pathInside(dir, tree.name, options.source ?? '/');
  const flags = ['rbind', 'rprivate', ...(isWritable ? [] : ['ro'])];
  return { destination, source, type: 'bind', options: flags };
}

/** A copy that goes with the command. */
async function scratchCopy(
  { deps, undo }: { readonly deps: BuilderDeps; readonly undo: CleanupStack },
  original: string,
): Promise<string> {
  const key = newContainerId();
  await deps.snapshots.prepareActive(key, undefined);
  undo.defer(() => deps.snapshots.removeActive(key));
  const dir = await deps.snapshots.mount(key);
  await copyContents(deps.trees, { dir: original, path: '/' }, dir);
  return dir;
}

/** Where the path really is, links followed inside of the tree. */
function pathInside(dir: string, name: string, source: string): string {
  const rootFd = openSync(dir, O_PATH | constants.O_DIRECTORY);
  try {
    const fd = openInRoot(rootFd, posix.join('/', source), O_PATH);
    try {
      return readlinkSync(pathOfFd(fd));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw sourceNotFound(name, posix.join('/', source).slice(1), error);
  } finally {
    closeSync(rootFd);
  }
}
