/** Root file systems as overlays, mounted in the engine's own user and mount namespace: by the kernel or by fuse-overlayfs. */
import { mkdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Digest } from '../../../oci/digest.ts';
import type { KeptId } from '../../../oci/kept-id.ts';
import { findEngineError, systemCode } from '../../../shared/errors.ts';
import { KeyedMutex } from '../../../shared/keyed-mutex.ts';
import type { Logger } from '../../../shared/logger.ts';
import { UmountFlag, umount } from '../../../sys/libc.ts';
import { mountsUnder, unmountLazily } from '../../../sys/mount/mount-table.ts';
import { DiskLayerChecker, HELPER_ENDED } from '../../check/disk-layer-checker.ts';
import { TreeDiff } from '../../diff/tree-diff.ts';
import type { LayerChecker } from '../../layer-checker.ts';
import type { LayerOwners } from '../../layer-owners.ts';
import type { SnapshotDiff } from '../../snapshot-diff.ts';
import type { CommittedLayer, LayerSlot, Snapshotter } from '../../snapshotter.ts';
import { layerInUse } from '../../storage-errors.ts';
import { ActiveStore } from '../active-store.ts';
import { BackgroundRemoval } from '../background-removal.ts';
import { directorySize } from '../directory-size.ts';
import type { Disk } from '../disk.ts';
import { LayerStore } from '../layer-store.ts';
import { type MountState, mountStateOf } from './mount-state.ts';
import type { OverlayMounter } from './overlay-mounter.ts';
import { ACTIVE, LAYERS } from './overlay-stack.ts';

export interface SnapshotterOptions {
  /** Directory of this driver, below the data directory. */
  readonly dir: string;
  /** Where mount points are made, below the runtime directory: `<rootfsDir>/<key>`. */
  readonly rootfsDir: string;
  readonly logger: Logger;
  /** How layers are stacked; called once the directories are there. */
  readonly mounter: (dir: string) => OverlayMounter;
  /** This machine's when absent. */
  readonly disk?: Disk | undefined;
}

interface OverlayParts {
  readonly removal: BackgroundRemoval;
  readonly layers: LayerStore;
  readonly active: ActiveStore;
  readonly rootfsDir: string;
  readonly mounter: OverlayMounter;
}

export class OverlaySnapshotter implements Snapshotter {
  readonly name: OverlayMounter['name'];
  readonly #parts: OverlayParts;
  readonly #locks = new KeyedMutex<string>();
  readonly #mounted = new Set<string>();
  readonly checker: LayerChecker;

  private constructor(parts: OverlayParts) {
    this.#parts = parts;
    this.name = parts.mounter.name;
    const { layers, active } = parts;
    const mounted = async () =>
      (await mountsUnder(parts.rootfsDir)).map(({ mountPoint }) => basename(mountPoint));
    const { whiteouts } = parts.mounter;
    const isDead = async (key: string) => (await this.#stateOf(key)) === 'dead';
    this.checker = new DiskLayerChecker({ layers, active, whiteouts, mounted, isDead });
  }

  /** Opens the directories. Call `probeOverlay` before, to know that mounts will work. */
  static async open(options: SnapshotterOptions): Promise<OverlaySnapshotter> {
    const { dir, rootfsDir, logger, disk } = options;
    const layersDir = join(dir, LAYERS);
    const activeDir = join(dir, ACTIVE);
    await mkdir(layersDir, { recursive: true, mode: 0o755 });
    await mkdir(activeDir, { recursive: true, mode: 0o700 });
    await mkdir(rootfsDir, { recursive: true, mode: 0o700 });
    const removal = new BackgroundRemoval(join(dir, 'removing'), logger);
    await removal.open();
    const mounter = options.mounter(dir);
    const { whiteouts } = mounter;
    const layers = await LayerStore.open({ dir: layersDir, whiteouts, removal, logger, disk });
    const active = await ActiveStore.open(activeDir, removal);
    const snapshots = new OverlaySnapshotter({ removal, layers, active, rootfsDir, mounter });
    await snapshots.#tellOfDeadMounts(logger);
    return snapshots;
  }

  /** Waits for removals and a running sync, and lets go of descriptors. Mounts stay. */
  async close(): Promise<void> {
    await this.#parts.layers.close();
    await this.#parts.removal.settle();
    this.#parts.mounter.close();
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
      if (this.#mounted.has(key) && !this.#hasHelper(key)) return target;
      await mkdir(target, { recursive: true, mode: 0o700 }).catch(ignoreDead);
      const state = await this.#stateOf(key);
      // A new helper shows the same files; who still uses the old mount keeps a broken one.
      if (state === 'dead') unmountLazily(target);
      if (state !== 'mounted') await this.#mountAt(target, key);
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

  commitActive(
    key: string,
    layer: Pick<CommittedLayer, 'chainId' | 'sizeBytes'>,
  ): Promise<'committed' | 'already-exists'> {
    const { active, layers } = this.#parts;
    return this.#locks.run(key, async () => {
      const parent = active.parentOf(key);
      await this.#unmount(key);
      const outcome = await layers.adopt(active.contentsDir(key), { ...layer, parent });
      await active.remove(key);
      return outcome;
    });
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
    const { layers, active, mounter } = this.#parts;
    await mounter.mount({
      target,
      kept: active.keptOf(key),
      lower: layers.stack(active.parentOf(key)).map((number) => layers.relativeDirOf(number)),
      upper: active.relativeContentsDir(key),
      work: active.relativeWorkDir(key),
    });
  }

  /** True for a mount that a process stands behind, which may end. */
  #hasHelper(key: string): boolean {
    return this.name === 'fuse-overlayfs' || this.#parts.active.keptOf(key) !== undefined;
  }

  #stateOf(key: string): Promise<MountState> {
    return mountStateOf(this.#mountPoint(key));
  }

  async #tellOfDeadMounts(logger: Logger): Promise<void> {
    for (const key of this.#parts.active.keys()) {
      if (!this.#hasHelper(key) || (await this.#stateOf(key)) !== 'dead') continue;
      logger.warn(`the file system of a container is broken: ${HELPER_ENDED}`, { key });
    }
  }

  async #unmount(key: string): Promise<void> {
    const target = this.#mountPoint(key);
    if (this.#mounted.has(key) || (await this.#stateOf(key)) !== 'none') unmountOverlay(target);
    this.#mounted.delete(key);
    await rmdir(target).catch(ignoreMissing);
  }

  #mountPoint(key: string): string {
    return join(this.#parts.rootfsDir, key);
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

function ignoreMissing(error: unknown): void {
  if (systemCode(error) !== 'ENOENT') throw error;
}

/** mkdir(2) of a mount point whose file system is dead. */
function ignoreDead(error: unknown): void {
  if (systemCode(error) !== 'ENOTCONN') throw error;
}
