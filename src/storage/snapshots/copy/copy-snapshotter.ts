/** Root file systems as full copies: works everywhere, costs time and space. For machines without overlay. */
import { join } from 'node:path';
import type { Digest } from '../../../oci/digest.ts';
import { OCI_LAYER } from '../../../oci/media-types.ts';
import type { Logger } from '../../../shared/logger.ts';
import { DiskLayerChecker } from '../../check/disk-layer-checker.ts';
import { copyTree } from '../../copy-tree/copy-tree.ts';
import { TreeDiff } from '../../diff/tree-diff.ts';
import type { LayerChecker } from '../../layer-checker.ts';
import type { LayerOwners } from '../../layer-owners.ts';
import type { CommittedLayer, LayerSlot, Snapshotter } from '../../snapshotter.ts';
import { keepsNoIds, layerInUse } from '../../storage-errors.ts';
import { TarUnpacker } from '../../unpack/tar-unpacker.ts';
import { ActiveStore } from '../active-store.ts';
import { BackgroundRemoval } from '../background-removal.ts';
import type { Disk } from '../disk.ts';
import { LayerStore } from '../layer-store.ts';

interface CopyParts {
  readonly removal: BackgroundRemoval;
  readonly layers: LayerStore;
  readonly active: ActiveStore;
}

export class CopySnapshotter implements Snapshotter {
  readonly name = 'copy';
  readonly #parts: CopyParts;

  readonly checker: LayerChecker;

  private constructor(parts: CopyParts) {
    this.#parts = parts;
    const { layers, active } = parts;
    // Every root file system is a copy: nothing uses the layers themselves.
    const mounted = async () => [];
    const isDead = async () => false;
    this.checker = new DiskLayerChecker({ layers, active, whiteouts: 'files', mounted, isDead });
  }

  /** Opens the directories below `dir`. */
  static async open(options: {
    readonly dir: string;
    readonly logger: Logger;
    /** This machine's when absent. */
    readonly disk?: Disk | undefined;
  }): Promise<CopySnapshotter> {
    const { dir, logger, disk } = options;
    const removal = new BackgroundRemoval(join(dir, 'removing'), logger);
    await removal.open();
    const layers = await LayerStore.open({
      dir: join(dir, 'layers'),
      whiteouts: 'files',
      removal,
      logger,
      disk,
    });
    const active = await ActiveStore.open(join(dir, 'active'), removal);
    return new CopySnapshotter({ removal, layers, active });
  }

  /** Waits for removals and a running sync. */
  async close(): Promise<void> {
    await this.#parts.layers.close();
    await this.#parts.removal.settle();
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
    const stack = layers.stack(parent);
    await active.create(key, parent, {
      rootOf: layers.dirOf(stack[0] ?? 0),
      async fill(contentsDir) {
        for (const number of stack.toReversed()) {
          await copyTree(layers.dirOf(number), contentsDir, { whiteouts: 'apply' });
        }
      },
    });
  }

  async mount(key: string): Promise<string> {
    this.#parts.active.parentOf(key);
    return this.#parts.active.contentsDir(key);
  }

  /** Nothing was mounted. */
  async unmount(): Promise<void> {
    await Promise.resolve();
  }

  /** A copy holds the layers below as well: what differs is unpacked once more. */
  async commitActive(
    key: string,
    layer: Pick<CommittedLayer, 'chainId' | 'sizeBytes'>,
  ): Promise<'committed' | 'already-exists'> {
    const parent = this.#parts.active.parentOf(key);
    const slot = await this.#parts.layers.prepare();
    const unpacking = new TarUnpacker().begin(slot, { mediaType: OCI_LAYER, diffId: undefined });
    try {
      for await (const chunk of this.diff(key, []).layerTar()) await unpacking.write(chunk);
      const { owners } = await unpacking.finish();
      const outcome = await slot.commit({ ...layer, parent, owners });
      await this.removeActive(key);
      return outcome;
    } catch (error) {
      await unpacking.abort();
      await slot.abandon();
      throw error;
    }
  }

  async removeActive(key: string): Promise<void> {
    await this.#parts.active.remove(key);
  }

  async listActive(): Promise<readonly string[]> {
    return this.#parts.active.keys();
  }

  activeSize(key: string): Promise<number> {
    return this.diff(key, []).sizeBytes();
  }

  async keepIds(): Promise<void> {
    throw keepsNoIds(this.name);
  }

  keptIds(): undefined {
    return undefined;
  }

  async ownersBelow(key: string): Promise<LayerOwners> {
    const { layers, active } = this.#parts;
    return await layers.ownersAt(active.parentOf(key));
  }

  diff(key: string, leftOut: readonly string[]): TreeDiff {
    const { layers, active } = this.#parts;
    const parent = active.parentOf(key);
    const below = layers.mergedAt(parent);
    const tree = { dir: active.contentsDir(key), holds: 'all', below } as const;
    return new TreeDiff(tree, leftOut, () => this.ownersBelow(key));
  }
}
