/** A new volume starts with what the image has at its mount point, unless `nocopy` was asked for. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { MountPoint } from './container-document.ts';

/** Fills the empty volumes among `mounts` from the container's root file system. */
export async function copyUpVolumes(
  deps: Pick<ContainerDeps, 'snapshots' | 'files'>,
  id: ContainerId,
  mounts: readonly MountPoint[],
): Promise<void> {
  const empty: MountPoint[] = [];
  for (const mount of mounts) {
    const copies = mount.type === 'volume' && !mount.mode.split(',').includes('nocopy');
    if (copies && (await deps.files.isEmptyDirectory(mount.source))) empty.push(mount);
  }
  if (empty.length === 0) return;
  const rootfs = await deps.snapshots.mount(id);
  try {
    for (const mount of empty) await deps.files.copyTree(rootfs, mount.destination, mount.source);
  } finally {
    await deps.snapshots.unmount(id);
  }
}
