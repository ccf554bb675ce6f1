/** Root file systems by the kernel's overlay, mounted in the engine's own user and mount namespace. */
import { closeSync, constants, openSync } from 'node:fs';
import { lstat, mkdir, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '../../../oci/digest.ts';
import type { KeptId } from '../../../oci/kept-id.ts';
import { findEngineError, systemCode } from '../../../shared/errors.ts';
import { KeyedMutex } from '../../../shared/keyed-mutex.ts';
import type { Logger } from '../../../shared/logger.ts';
import { mount, UmountFlag, umount } from '../../../sys/libc.ts';
import { mountsUnder } from '../../../sys/mount/mount-table.ts';
import { DiskLayerChecker } from '../../check/disk-layer-checker.ts';
import { TreeDiff } from '../../diff/tree-diff.ts';
import type { LayerChecker } from '../../layer-checker.ts';
import type { LayerOwners } from '../../layer-owners.ts';
import type { SnapshotDiff } from '../../snapshot-diff.ts';
import type { LayerSlot, Snapshotter } from '../../snapshotter.ts';
import { layerInUse, writeFailed } from '../../storage-errors.ts';
import { ActiveStore } from '../active-store.ts';
import { BackgroundRemoval } from '../background-removal.ts';
import { directorySize } from '../directory-size.ts';
import type { Disk } from '../disk.ts';
import { LayerStore } from '../layer-store.ts';
import { mountKeepingIds } from './fuse-mount.ts';

const LAYERS = 'layers';
const ACTIVE = 'active';

export interface SnapshotterOptions {
  /** Directory of this driver, below the data directory. */
  readonly dir: string;
  /** Where mount points are made, below the runtime directory: `<rootfsDir>/<key>`. */
  readonly rootfsDir: string;
  readonly logger: Logger;
  /** This machine's when absent. */
  readonly disk?: Disk | undefined;
}

interface OverlayParts {
  readonly removal: BackgroundRemoval;
  readonly layers: LayerStore;
  readonly active: ActiveStore;
  readonly rootfsDir: string;
  readonly dir: string;
  readonly layersFd: number;
  readonly activeFd: number;
}

export class OverlaySnapshotter implements Snapshotter {
  readonly name = 'overlay';
  readonly #parts: OverlayParts;
  readonly #locks = new KeyedMutex<string>();
  readonly #mounted = new Set<string>();
  readonly checker: LayerChecker;

  private constructor(parts: OverlayParts) {
    this.#parts = parts;
    const { layers, active } = parts;
    const mounted = async () =>
      (await mountsUnder(parts.rootfsDir)).map(({ mountPoint }) => basename(mountPoint));
    this.checker = new DiskLayerChecker({ layers, active, whiteouts: 'overlay', mounted });
  }

  /** Opens the directories. Call `probeOverlay` before, to know that mounts will work. */
  static async open(options: SnapshotterOptions): Promise<OverlaySnapshotter> {
    const { dir, rootfsDir, logger, disk } = options;
    const layersDir = join(dir, LAYERS);
    const activeDir = join(dir, ACTIVE);
    const removal = new BackgroundRemoval(join(dir, 'removing'), logger);
    await removal.open();
    const layers = await LayerStore.open({
      dir: layersDir,
      whiteouts: 'overlay',
      removal,
      logger,
      disk,
    });
    const active = await ActiveStore.open(activeDir, removal);
    await mkdir(rootfsDir, { recursive: true, mode: 0o700 });
    const directoryFlags = constants.O_RDONLY | constants.O_DIRECTORY;
    return new OverlaySnapshotter({
      removal,
      layers,
      active,
      rootfsDir,
      dir,
      layersFd: openSync(layersDir, directoryFlags),
      activeFd: openSync(activeDir, directoryFlags),
    });
  }

  /** Waits for removals and a running sync, and lets go of descriptors. Mounts stay. */
  async close(): Promise<void> {
    await this.#parts.layers.close();
    await this.#parts.removal.settle();
    closeSync(this.#parts.layersFd);
    closeSync(this.#parts.activeFd);
  }

  async hasCommitted(chainId: Digest): Promise<boolean> {
    return this.#parts.layers.has(chainId);
  }

  prepareLayer(): Promise<LayerSlot> {
    return this.#parts.layers.prepare();
  }

  async committedSize(chainId: Digest): Promise<number> {
    return this.#parts.layers.get(chainId).sizeBytes;
  }

  async stackSize(chainId: Digest): Promise<number> {
    return this.#parts.layers.stackSize(chainId);
  }

  async removeCommitted(chainId: Digest): Promise<void> {
    if (this.#parts.active.standsOn(chainId)) throw layerInUse(chainId);
    await this.#parts.layers.remove(chainId);
  }

  async listCommitted(): Promise<readonly Digest[]> {
    return this.#parts.layers.list();
  }

  async prepareActive(key: string, parent: Digest | undefined): Promise<void> {
    const { layers, active } = this.#parts;
    const [top = 0] = layers.stack(parent);
    await active.create(key, parent, { rootOf: layers.dirOf(top) });
  }

  mount(key: string): Promise<string> {
    return this.#locks.run(key, async () => {
      const target = this.#mountPoint(key);
      if (this.#mounted.has(key)) return target;
      await mkdir(target, { recursive: true, mode: 0o700 });
      if (!(await isMountPoint(target))) await this.#mountAt(target, key);
      this.#mounted.add(key);
      return target;
    });
  }

  async keepIds(key: string, kept: KeptId): Promise<void> {
    await this.#parts.active.keep(key, kept);
  }

  keptIds(key: string): KeptId | undefined {
    return this.#parts.active.keptOf(key);
  }

  unmount(key: string): Promise<void> {
    return this.#locks.run(key, () => this.#unmount(key));
  }

  removeActive(key: string): Promise<void> {
    return this.#locks.run(key, async () => {
      await this.#unmount(key);
      await this.#parts.active.remove(key);
    });
  }

  async listActive(): Promise<readonly string[]> {
    return this.#parts.active.keys();
  }

  async activeSize(key: string): Promise<number> {
    this.#parts.active.parentOf(key);
    return directorySize(this.#parts.active.contentsDir(key));
  }

  async ownersBelow(key: string): Promise<LayerOwners> {
    const { layers, active } = this.#parts;
    return await layers.ownersAt(active.parentOf(key));
  }

  diff(key: string, leftOut: readonly string[]): SnapshotDiff {
    const { layers, active } = this.#parts;
    const parent = active.parentOf(key);
    const below = layers.mergedAt(parent);
    const tree = { dir: active.contentsDir(key), holds: 'written', below } as const;
    return new TreeDiff(tree, leftOut, () => this.ownersBelow(key));
  }

  async #mountAt(target: string, key: string): Promise<void> {
    const { layers, active, dir } = this.#parts;
    const kept = active.keptOf(key);
    if (kept === undefined) {
      mountOverlay(target, this.#mountData(key));
      return;
    }
    await mountKeepingIds({
      dir,
      target,
      kept,
      lower: layers
        .stack(active.parentOf(key))
        .map((number) => join(LAYERS, layers.relativeDirOf(number))),
      upper: join(ACTIVE, active.relativeContentsDir(key)),
      work: join(ACTIVE, active.relativeWorkDir(key)),
    });
  }

  /**
   * Directories are named through open descriptors: the kernel takes at most a page of options, which 127
   * layers with their full paths would exceed, and a comma or colon in a path would need escapes.
   */
  #mountData(key: string): string {
    const { layers, active, layersFd, activeFd } = this.#parts;
    const lower = layers
      .stack(active.parentOf(key))
      .map((number) => `/proc/self/fd/${layersFd}/${layers.relativeDirOf(number)}`);
    const writable = `/proc/self/fd/${activeFd}`;
    return [
      `lowerdir=${lower.join(':')}`,
      `upperdir=${writable}/${active.relativeContentsDir(key)}`,
      `workdir=${writable}/${active.relativeWorkDir(key)}`,
      'userxattr',
    ].join(',');
  }

  async #unmount(key: string): Promise<void> {
    const target = this.#mountPoint(key);
    if (this.#mounted.has(key) || (await isMountPoint(target))) unmountOverlay(target);
    this.#mounted.delete(key);
    await rmdir(target).catch(ignoreMissing);
  }

  #mountPoint(key: string): string {
    return join(this.#parts.rootfsDir, key);
  }
}

function mountOverlay(target: string, data: string): void {
  try {
    mount({ source: 'overlay', target, type: 'overlay', data });
  } catch (error) {
    throw writeFailed(`mount ${target}`, error);
  }
}

function unmountOverlay(target: string): void {
  try {
    umount(target);
  } catch (error) {
    const code = findEngineError(error)?.details['code'];
    if (code === 'EINVAL' || code === 'ENOENT') return;
    // Somebody still has a file open: nobody new can enter, and the kernel finishes when the last one leaves.
    umount(target, UmountFlag.detach);
  }
}

/** A mounted overlay is a device of its own. */
async function isMountPoint(path: string): Promise<boolean> {
  try {
    const [own, above] = await Promise.all([lstat(path), lstat(dirname(path))]);
    return own.dev !== above.dev;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}
