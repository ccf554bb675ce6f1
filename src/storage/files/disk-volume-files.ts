/** The data of volumes on disk. */
import { mkdir } from 'node:fs/promises';
import type { VolumePaths } from '../../sys/paths.ts';
import { directorySize } from '../snapshots/directory-size.ts';
import type { VolumeFiles } from '../volume-files.ts';

export class DiskVolumeFiles implements VolumeFiles {
  readonly #pathsOf: (name: string) => VolumePaths;

  /** `pathsOf` names the files of one volume, as `sys/paths` lays them out. */
  constructor(pathsOf: (name: string) => VolumePaths) {
    this.#pathsOf = pathsOf;
  }

  mountpoint(name: string): string {
    return this.#pathsOf(name).dataDir;
  }

  async make(name: string): Promise<void> {
    await mkdir(this.mountpoint(name), { recursive: true, mode: 0o755 });
  }

  sizeBytes(name: string): Promise<number> {
    return directorySize(this.mountpoint(name));
  }
}
