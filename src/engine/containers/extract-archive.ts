/** `PUT /containers/{id}/archive`: files into a container. */
import type { ExtractOptions, FileTree } from '../../storage/file-trees.ts';
import { accountIds } from './account-ids.ts';
import {
  extractionPointIsNoDirectory,
  pathError,
  rootIsReadOnly,
  volumeIsReadOnly,
} from './archive-errors.ts';
import { containerPath } from './archive-paths.ts';
import { publishContainerEvent } from './container-events.ts';
import { type ContainerFilesDeps, type HeldTree, holdTree } from './hold-tree.ts';

export interface ExtractRequest {
  readonly ref: string;
  readonly path: string;
  readonly noOverwriteDirNonDir: boolean;
  /** Everything gets the container's user as owner. */
  readonly copyUidGid: boolean;
}

/** Unpacks a tar archive, plain or compressed, into a directory of the container. */
export async function extractArchive(
  deps: ContainerFilesDeps,
  request: ExtractRequest,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  const held = await holdTree(deps, request.ref, 'all');
  try {
    const path = containerPath(request.path);
    await assertDirectory(held.tree, request, path);
    await assertWritable(held, path);
    await held.tree.extract(path, archive, await extractOptions(held, request));
    publishContainerEvent(deps, held.document, { action: 'extract-to-dir' });
  } finally {
    await held.release();
  }
}

async function assertDirectory(
  tree: FileTree,
  request: ExtractRequest,
  path: string,
): Promise<void> {
  try {
    if (await tree.isDirectory(path)) return;
  } catch (error) {
    throw pathError(error, request.path, request.ref);
  }
  throw extractionPointIsNoDirectory();
}

/** A volume of a container with a read-only root may be written to, and the other way round. */
async function assertWritable({ tree, document }: HeldTree, path: string): Promise<void> {
  const mount = await tree.mountAt(path);
  if (mount === undefined) {
    if (document.hostConfig.ReadonlyRootfs === true) throw rootIsReadOnly();
  } else if (mount.readOnly) throw volumeIsReadOnly();
}

async function extractOptions(
  { tree, document }: HeldTree,
  request: ExtractRequest,
): Promise<ExtractOptions> {
  const user = document.config.User ?? '';
  const owner =
    request.copyUidGid && user !== ''
      ? accountIds(user, {
          passwd: await tree.readText('/etc/passwd'),
          group: await tree.readText('/etc/group'),
        })
      : undefined;
  return { keepKinds: request.noOverwriteDirNonDir, owner };
}
