/** A new volume starts with what the image has at its mount point, unless `nocopy` was asked for. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { MountPoint } from './container-document.ts';
import { letGoOfVolumes } from './hold-volumes.ts';

/** Fills the empty volumes among `mounts` from the container's root file system. */
export async function copyUpVolumes(
  deps: Pick<ContainerDeps, 'snapshots' | 'files' | 'volumes'>,
  id: ContainerId,
  mounts: readonly MountPoint[],
): Promise<void> {
  const candidates = mounts.filter(wantsCopy);
  try {
    const empty: MountPoint[] = [];
    for (const [at, mount] of candidates.entries()) {
      const use = { name: mount.name, containerId: id, subpath: '', place: String(at) };
      if (await deps.files.isEmptyDirectory(await deps.volumes.attach(use))) empty.push(mount);
    }
    if (empty.length > 0) await copyUp(deps, id, empty);
  } finally {
    await letGoOfVolumes(deps, id, candidates);
  }
}

/** A path within a volume must be there already; volumes of other containers have had their copy. */
function wantsCopy({ type, mode, subpath, noCopy }: MountPoint): boolean {
  const refuses = noCopy === true || mode.split(',').includes('nocopy');
  return type === 'volume' && !refuses && subpath === undefined;
}

async function copyUp(
  deps: Pick<ContainerDeps, 'snapshots' | 'files'>,
  id: ContainerId,
  mounts: readonly MountPoint[],
): Promise<void> {
  const rootfs = await deps.snapshots.mount(id);
  try {
    for (const mount of mounts) await deps.files.copyTree(rootfs, mount.destination, mount.source);
  } finally {
    await deps.snapshots.unmount(id);
  }
}
