/** Opens the files of a container, running or not, for as long as somebody reads or writes them. */
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { FileTree, FileTrees, TreeMount } from '../../storage/file-trees.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument, MountPoint } from './container-document.ts';
import { isOnItsWayOut } from './container-errors.ts';
import { liveStatus } from './container-status.ts';
import { holdVolumes } from './hold-volumes.ts';
import { nameFileMounts } from './name-file-mounts.ts';

export type ContainerFilesDeps = ContainerDeps & { readonly trees: FileTrees };

/** A tree that somebody uses. */
export interface HeldTree {
  readonly document: ContainerDocument;
  readonly tree: FileTree;
  /** Idempotent, never rejects. */
  release(): Promise<void>;
}

/**
 * Opens the tree of a container. `all` has its volumes and binds, `root` the root file system only. The caller releases
 * it. A container that does not run is locked until then: a start would mount the same files a second time.
 */
export function holdTree(
  deps: ContainerFilesDeps,
  ref: string,
  extent: 'all' | 'root',
): Promise<HeldTree> {
  const { id } = deps.registry.resolve(ref);
  return new Promise((resolve, reject) => {
    const use = async () => {
      const document = deps.registry.get(id);
      const isLive = liveStatus(document.status) !== undefined;
      const tree = await openTree(deps, document, extent);
      const held = holding(deps, document, tree);
      resolve(held);
      if (!isLive) await held.released;
    };
    deps.locks.run(id, use).catch(reject);
  });
}

async function openTree(
  deps: ContainerFilesDeps,
  document: ContainerDocument,
  extent: 'all' | 'root',
): Promise<FileTree> {
  const { id, status } = document;
  if (status.state === 'removing' || status.state === 'dead')
    throw isOnItsWayOut('export', id, status.state);
  await using undo = new CleanupStack(reportCleanup(deps, id));
  const rootfsDir = await deps.snapshots.mount(id);
  undo.defer(() => deps.snapshots.unmount(id));
  const asked = extent === 'all' ? await holdVolumes(deps, document, undo) : [];
  const mounts = extent === 'all' ? treeMounts(deps, id, asked) : [];
  // What a running container uses stays as it is. For others, the tree has mounts of its own once it is open.
  if (liveStatus(status) !== undefined) undo.release();
  return await deps.trees.open(rootfsDir, mounts, {
    keptIds: deps.snapshots.keptIds(id),
    ofImage: await deps.snapshots.ownersBelow(id),
  });
}

function holding(
  deps: ContainerFilesDeps,
  document: ContainerDocument,
  tree: FileTree,
): HeldTree & { readonly released: Promise<void> } {
  let settle: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const release = async () => {
    await tree.close().catch(reportCleanup(deps, document.id));
    settle();
  };
  return { document, tree, release, released };
}

/** Outer mounts first. What lives in memory only, `tmpfs`, is not there, as with Docker. */
function treeMounts(
  deps: ContainerDeps,
  id: ContainerId,
  mounts: readonly MountPoint[],
): readonly TreeMount[] {
  const own = nameFileMounts(deps.files.nameFilePaths(id)).map((mount) => ({
    source: mount.source ?? '',
    destination: mount.destination,
    readOnly: false,
  }));
  const asked = mounts.filter(({ type }) => type !== 'tmpfs');
  const replaced = new Set(asked.map(({ destination }) => destination));
  return [...own.filter(({ destination }) => !replaced.has(destination)), ...asked].toSorted(
    (a, b) => depthOf(a.destination) - depthOf(b.destination),
  );
}

function depthOf(path: string): number {
  return path.split('/').filter((part) => part !== '').length;
}
