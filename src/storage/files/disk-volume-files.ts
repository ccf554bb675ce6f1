/** The data of volumes on disk. */
import { mkdir, realpath } from 'node:fs/promises';
import { systemCode } from '../../shared/errors.ts';
import { bindMount, mount } from '../../sys/libc.ts';
import { isMounted, unmountLazily } from '../../sys/mount/mount-table.ts';
import type { VolumePaths } from '../../sys/paths.ts';
import { directorySize } from '../snapshots/directory-size.ts';
import { cannotMountVolume } from '../storage-errors.ts';
import type { MountForm, PinPlace, VolumeFiles, VolumeMount } from '../volume-files.ts';
import { parseMountOptions } from './mount-options.ts';
import { memoryAt, pinNamespace, pinPath, reformPath, unpinPaths } from './pin-path.ts';

/** Where volumes are, and where paths inside them are pinned. */
export interface VolumePlaces {
  /** Names the files of one volume, as `sys/paths` lays them out. */
  readonly pathsOf: (name: string) => VolumePaths;
  /** Absolute path of a directory that no reboot survives. */
  readonly pinsDir: string;
}

export class DiskVolumeFiles implements VolumeFiles {
  readonly #places: VolumePlaces;

  constructor(places: VolumePlaces) {
    this.#places = places;
  }

  mountpoint(name: string): string {
    return this.#places.pathsOf(name).dataDir;
  }

  async make(name: string): Promise<void> {
    await mkdir(this.mountpoint(name), { recursive: true, mode: 0o755 });
  }

  sizeBytes(name: string): Promise<number> {
    return directorySize(this.mountpoint(name));
  }

  async mount(name: string, wanted: VolumeMount): Promise<void> {
    const target = await realpath(this.mountpoint(name));
    if (await isMounted(target)) return;
    try {
      mountOver(target, wanted);
    } catch (error) {
      throw cannotMountVolume(target, wanted, error);
    }
  }

  async unmount(name: string): Promise<void> {
    const target = await realpathIfThere(this.mountpoint(name));
    if (target === undefined) return;
    // Something can have been mounted twice only by somebody else; what is below must never be taken for ours.
    while (await isMounted(target)) unmountLazily(target);
  }

  pin(root: string, subpath: string, at: PinPlace): Promise<string> {
    return pinPath({ root, subpath, pinsDir: this.#places.pinsDir, at });
  }

  reform(source: string, form: MountForm, at: PinPlace): Promise<string> {
    return reformPath(source, form, { pinsDir: this.#places.pinsDir, at });
  }

  pinNamespace(path: string, at: PinPlace): Promise<string> {
    return pinNamespace(path, { pinsDir: this.#places.pinsDir, at });
  }

  sharedMemory(sizeBytes: number, at: PinPlace): Promise<string> {
    return memoryAt(sizeBytes, { pinsDir: this.#places.pinsDir, at });
  }

  unpin(key: string): Promise<void> {
    return unpinPaths(this.#places.pinsDir, key);
  }
}

function mountOver(target: string, { type, device, options }: VolumeMount): void {
  if (type === 'bind') {
    const recursive = options.includes('rbind');
    bindMount(device, target, { recursive, readOnly: options.includes('ro') });
    return;
  }
  mount({ source: device, target, type, ...parseMountOptions(options) });
}

async function realpathIfThere(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
