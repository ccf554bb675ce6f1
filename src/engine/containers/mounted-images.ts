/** Images among the mounts of a container: a file system of their own for each run, which nobody writes to. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { MountPoint } from './container-document.ts';

/** One image mount and its place among the mounts of its container. */
export interface ImagePlace {
  readonly containerId: ContainerId;
  readonly mount: MountPoint;
  readonly place: string;
}

/** Mounts the image's files and returns the host path to bind. Idempotent. */
export async function holdImage(
  deps: Pick<ContainerDeps, 'snapshots' | 'volumes'>,
  { containerId, mount, place }: ImagePlace,
): Promise<string> {
  const key = snapshotKey(containerId, place);
  const isThere = (await deps.snapshots.listActive()).includes(key);
  if (!isThere) await deps.snapshots.prepareActive(key, mount.chainId);
  const root = await deps.snapshots.mount(key);
  const { subpath = '' } = mount;
  return subpath === '' ? root : await deps.volumes.pin(root, subpath, { key: containerId, place });
}

/** Takes away the file systems of all image mounts; paths within them must be unpinned. Idempotent. */
export async function letGoOfImages(
  deps: Pick<ContainerDeps, 'snapshots'>,
  containerId: ContainerId,
  mounts: readonly MountPoint[],
): Promise<void> {
  for (const [place, { type }] of mounts.entries()) {
    if (type === 'image')
      await deps.snapshots.removeActive(snapshotKey(containerId, String(place)));
  }
}

/** Begins with the container's id, by which recovery knows whose it is (see `snapshotOwner`). */
function snapshotKey(containerId: ContainerId, place: string): string {
  return `${containerId}.${place}`;
}

/** The container that a snapshot belongs to: its own root file system, or a mount of it. */
export function snapshotOwner(key: string): string {
  const [owner = ''] = key.split('.', 1);
  return owner;
}
