/** Volumes and mounted images are made ready when a container starts, and let go of when it has ended. */
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { MountForm } from '../../storage/volume-files.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument, MountPoint } from './container-document.ts';
import { liveStatus } from './container-status.ts';
import { holdImage, letGoOfImages } from './mounted-images.ts';

type HoldDeps = Pick<ContainerDeps, 'volumes' | 'snapshots'>;

/**
 * Attaches every volume and image of the container; registers what undoes it. Returns the mounts as the runtime must make
 * them: the source of a path within a volume is where it was pinned.
 */
export async function holdVolumes(
  deps: HoldDeps,
  { id, mounts }: Pick<ContainerDocument, 'id' | 'mounts'>,
  undo: CleanupStack,
): Promise<readonly MountPoint[]> {
  undo.defer(() => letGoOfVolumes(deps, id, mounts));
  const ready: MountPoint[] = [];
  for (const [at, mount] of mounts.entries()) {
    if (mount.type === 'tmpfs') ready.push(mount);
    else ready.push({ ...mount, source: await sourceOf(deps, id, { mount, place: String(at) }) });
  }
  return ready;
}

/** Detaches every volume and image of the container. Idempotent. */
export async function letGoOfVolumes(
  deps: HoldDeps,
  id: ContainerId,
  mounts: readonly MountPoint[],
): Promise<void> {
  const names = mounts.filter(({ type }) => type === 'volume').map(({ name }) => name);
  if (mounts.some(isHeld)) await deps.volumes.detach(id, [...new Set(names)]);
  await letGoOfImages(deps, id, mounts);
}

/** True while the container's volumes must stay mounted. */
export function holdsVolumes({ status }: Pick<ContainerDocument, 'status'>): boolean {
  return status.state === 'starting' || liveStatus(status) !== undefined;
}

/** The host path that the runtime binds. */
async function sourceOf(
  deps: HoldDeps,
  containerId: ContainerId,
  { mount, place }: { readonly mount: MountPoint; readonly place: string },
): Promise<string> {
  const { type, name, subpath = '' } = mount;
  if (type === 'image') return await holdImage(deps, { containerId, mount, place });
  const source =
    type === 'volume'
      ? await deps.volumes.attach({ name, containerId, subpath, place })
      : mount.source;
  const form = formOf(mount);
  if (form === undefined) return source;
  return await deps.volumes.reform(source, form, { key: containerId, place: `${place}-${form}` });
}

/** True for a mount that the engine does something for, beside naming its source. */
function isHeld(mount: MountPoint): boolean {
  return ['volume', 'image'].includes(mount.type) || formOf(mount) !== undefined;
}

/** What must become of the mounts below a mount, when it is more than the runtime does by itself. */
function formOf(mount: MountPoint): MountForm | undefined {
  const { type, readOnly, nonRecursive, readOnlyNonRecursive } = mount;
  if (type === 'tmpfs' || type === 'image') return undefined;
  if (nonRecursive === true) return 'bare';
  return readOnly && readOnlyNonRecursive !== true ? 'sealed' : undefined;
}
