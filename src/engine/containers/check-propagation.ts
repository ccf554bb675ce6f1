/** Mounts that hear of later mounts need a source that does. */
import type { ContainerDeps } from './container-deps.ts';
import type { MountPoint } from './container-document.ts';
import { wrongPropagation } from './container-errors.ts';

/** Throws dockerd's text when a source cannot propagate as its mount asks for. */
export async function checkPropagation(
  deps: Pick<ContainerDeps, 'files'>,
  mounts: readonly MountPoint[],
): Promise<void> {
  for (const { type, source, propagation } of mounts) {
    const wanted = propagation.replace(/^r/, '');
    if (type !== 'bind' || (wanted !== 'shared' && wanted !== 'slave')) continue;
    const { mountPoint, propagation: found } = await deps.files.mountOf(source);
    const isEnough = found === 'shared' || (wanted === 'slave' && found === 'slave');
    if (!isEnough) throw wrongPropagation(source, mountPoint, wanted);
  }
}
