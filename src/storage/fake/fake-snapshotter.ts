/** A snapshotter in memory. Its directories are names only; nothing touches the disk. */
import type { Digest } from '../../oci/digest.ts';
import type { KeptId } from '../../oci/kept-id.ts';
import type { LayerOwners } from '../layer-owners.ts';
import type { SnapshotDiff } from '../snapshot-diff.ts';
import type { CommittedLayer, LayerSlot, Snapshotter } from '../snapshotter.ts';
import { layerInUse, noSuchLayer, noSuchSnapshot, snapshotExists } from '../storage-errors.ts';
import { TAR_END } from '../tar/tar-writer.ts';

export class FakeSnapshotter implements Snapshotter {
  readonly name = 'fake';
  readonly #layers = new Map<Digest, CommittedLayer>();
  readonly #active = new Map<string, Digest | undefined>();
  readonly #mounted = new Set<string>();
  readonly #kept = new Map<string, KeptId>();
  readonly #openSlots = new Set<string>();
  #nextSlot = 1;

  /** Slots that were neither committed nor abandoned: for leak checks. */
  get openSlots(): readonly string[] {
    return [...this.#openSlots];
  }

  /** Keys that are mounted now. */
  get mounted(): readonly string[] {
    return [...this.#mounted];
  }

  async hasCommitted(chainId: Digest): Promise<boolean> {
    return this.#layers.has(chainId);
  }

  async prepareLayer(): Promise<LayerSlot> {
    const dir = `/fake/layers/${this.#nextSlot++}`;
    this.#openSlots.add(dir);
    return {
      dir,
      whiteouts: 'files',
      commit: async (layer) => {
        if (layer.parent !== undefined) this.#find(layer.parent);
        this.#openSlots.delete(dir);
        if (this.#layers.has(layer.chainId)) return 'already-exists';
        this.#layers.set(layer.chainId, layer);
        return 'committed';
      },
      abandon: async () => {
        this.#openSlots.delete(dir);
      },
    };
  }

  async committedSize(chainId: Digest): Promise<number> {
    return this.#find(chainId).sizeBytes;
  }

  async stackSize(chainId: Digest): Promise<number> {
    const { sizeBytes, parent } = this.#find(chainId);
    return sizeBytes + (parent === undefined ? 0 : await this.stackSize(parent));
  }

  async removeCommitted(chainId: Digest): Promise<void> {
    const below = [...this.#layers.values()].some((layer) => layer.parent === chainId);
    if (below || [...this.#active.values()].includes(chainId)) throw layerInUse(chainId);
    this.#layers.delete(chainId);
  }

  async listCommitted(): Promise<readonly Digest[]> {
    return [...this.#layers.keys()];
  }

  async prepareActive(key: string, parent: Digest | undefined): Promise<void> {
    if (this.#active.has(key)) throw snapshotExists(key);
    if (parent !== undefined) this.#find(parent);
    this.#active.set(key, parent);
  }

  async keepIds(key: string, kept: KeptId): Promise<void> {
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    this.#kept.set(key, kept);
  }

  keptIds(key: string): KeptId | undefined {
    return this.#kept.get(key);
  }

  async mount(key: string): Promise<string> {
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    this.#mounted.add(key);
    return `/fake/rootfs/${key}`;
  }

  async unmount(key: string): Promise<void> {
    this.#mounted.delete(key);
  }

  async commitActive(
    key: string,
    layer: Pick<CommittedLayer, 'chainId' | 'sizeBytes'>,
  ): Promise<'committed' | 'already-exists'> {
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    const parent = this.#active.get(key);
    await this.removeActive(key);
    if (this.#layers.has(layer.chainId)) return 'already-exists';
    this.#layers.set(layer.chainId, { ...layer, parent });
    return 'committed';
  }

  async removeActive(key: string): Promise<void> {
    this.#mounted.delete(key);
    this.#active.delete(key);
  }

  async listActive(): Promise<readonly string[]> {
    return [...this.#active.keys()];
  }

  async activeSize(key: string): Promise<number> {
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    return 0;
  }

  async ownersBelow(key: string): Promise<LayerOwners> {
    const parent = this.#active.get(key);
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    return parent === undefined ? new Map() : (this.#find(parent).owners ?? new Map());
  }

  /** Nothing is ever written. */
  diff(key: string): SnapshotDiff {
    if (!this.#active.has(key)) throw noSuchSnapshot(key);
    return { changes: nothing, layerTar: emptyTar };
  }

  #find(chainId: Digest): CommittedLayer {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) throw noSuchLayer(chainId);
    return layer;
  }
}

async function* nothing(): AsyncGenerator<never> {
  yield* [];
}

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield TAR_END;
}
