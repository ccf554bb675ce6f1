/** The two ways to stack layers: by the kernel, and by fuse-overlayfs where the kernel or the file system refuses. */
import { closeSync, constants, openSync } from 'node:fs';
import { mount } from '../../../sys/libc.ts';
import type { WhiteoutFormat } from '../../snapshotter.ts';
import { writeFailed } from '../../storage-errors.ts';
import { mountByFuse } from './fuse-mount.ts';
import { ACTIVE, LAYERS, type OverlayStack } from './overlay-stack.ts';

export interface OverlayMounter {
  readonly name: 'overlay' | 'fuse-overlayfs';
  /** How layers for it say that something is gone. */
  readonly whiteouts: WhiteoutFormat;
  mount(stack: OverlayStack): Promise<void>;
  /** Lets go of descriptors; mounts stay. */
  close(): void;
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/** Mounts below `dir`, which has the directories of layers and active snapshots. */
export function kernelMounter(dir: string): OverlayMounter {
  const layersFd = openSync(`${dir}/${LAYERS}`, DIRECTORY);
  const activeFd = openSync(`${dir}/${ACTIVE}`, DIRECTORY);
  return {
    name: 'overlay',
    whiteouts: 'overlay',
    mount: async (stack) => {
      // The kernel shows the owners that files have; other ones take the helper.
      if (stack.kept !== undefined) return mountByFuse(dir, stack);
      mountOverlay(stack, { layersFd, activeFd });
    },
    close: () => {
      closeSync(layersFd);
      closeSync(activeFd);
    },
  };
}

/** The same by fuse-overlayfs alone. Where overlay is refused devices may be as well: gone files are marked by files. */
export function fuseMounter(dir: string): OverlayMounter {
  return {
    name: 'fuse-overlayfs',
    whiteouts: 'files',
    mount: (stack) => mountByFuse(dir, stack),
    close: () => undefined,
  };
}

/**
 * Directories are named through open descriptors: the kernel takes at most a page of options, which 127
 * layers with their full paths would exceed, and a comma or colon in a path would need escapes.
 */
function mountOverlay(
  stack: OverlayStack,
  { layersFd, activeFd }: { readonly layersFd: number; readonly activeFd: number },
): void {
  const { target } = stack;
  const lower = stack.lower.map((path) => `/proc/self/fd/${layersFd}/${path}`);
  const writable = `/proc/self/fd/${activeFd}`;
  const data = [
    `lowerdir=${lower.join(':')}`,
    `upperdir=${writable}/${stack.upper}`,
    `workdir=${writable}/${stack.work}`,
    'userxattr',
  ].join(',');
  try {
    mount({ source: 'overlay', target, type: 'overlay', data });
  } catch (error) {
    throw writeFailed(`mount ${target}`, error);
  }
}
