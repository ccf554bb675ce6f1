/**
 * Committed layers on disk, the same for all snapshotters: `layers/<n>/fs` with `layer.json` beside it, which is
 * written last. A numbered directory without that file is debris of a crash. Numbers keep mount options short.
 *
 * A commit does not wait for the disk: files are brought there afterwards, and the document says so until then. A
 * layer that still says so in another boot may have holes, so it is dropped; its image is unpacked anew. Layers
 * above it stay: their files do not depend on it, and the chainID that they stand on comes back.
 */
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import type { Logger } from '../../shared/logger.ts';
import { MergedDirectory } from '../diff/merged-directory.ts';
import type { FileOwner, LayerOwners } from '../layer-owners.ts';
import type { CommittedLayer, LayerSlot, WhiteoutFormat } from '../snapshotter.ts';
import { layerInUse, noSuchLayer, writeFailed } from '../storage-errors.ts';
import type { BackgroundRemoval } from './background-removal.ts';
import { BackgroundSync, type SyncOutcome } from './background-sync.ts';
import { type Disk, systemDisk } from './disk.ts';
import {
  createLayerDocument,
  type LayerDocument,
  readLayerDocument,
  removeHalfReplaced,
  replaceLayerDocument,
} from './layer-document.ts';
import { readOwners, writeOwners } from './owner-index.ts';

const CONTENTS = 'fs';
const NO_OWNERS: LayerOwners = new Map();
/** Number of the always empty layer, for file systems that stand on nothing. */
const EMPTY_LAYER = 0;

interface StoredLayer extends CommittedLayer {
  readonly number: number;
}

export interface LayerStoreOptions {
  readonly dir: string;
  readonly whiteouts: WhiteoutFormat;
  readonly removal: BackgroundRemoval;
  readonly logger: Logger;
  /** This machine's when absent. */
  readonly disk?: Disk | undefined;
}

export class LayerStore {
  readonly #options: LayerStoreOptions;
  readonly #disk: Disk;
  readonly #sync: BackgroundSync<StoredLayer>;
  readonly #layers = new Map<Digest, StoredLayer>();
  #nextNumber = EMPTY_LAYER + 1;

  private constructor(options: LayerStoreOptions, disk: Disk) {
    const { dir, logger } = options;
    this.#options = options;
    this.#disk = disk;
    this.#sync = new BackgroundSync({
      dir,
      disk,
      logger,
      settle: (layer, outcome) => this.#recordSync(layer, outcome),
    });
  }

  /** Reads what is there; removes debris and what may have holes. */
  static async open(options: LayerStoreOptions): Promise<LayerStore> {
    const emptyLayer = join(options.dir, String(EMPTY_LAYER), CONTENTS);
    await mkdir(emptyLayer, { recursive: true, mode: 0o755 });
    const store = new LayerStore(options, options.disk ?? (await systemDisk()));
    for (const name of await readdir(options.dir)) await store.#load(name);
    return store;
  }

  /** Waits for a running sync. Layers that are not synced stay so. */
  async close(): Promise<void> {
    await this.#sync.close();
  }

  has(chainId: Digest): boolean {
    return this.#layers.has(chainId);
  }

  list(): readonly Digest[] {
    return [...this.#layers.keys()];
  }

  /** `not-found` for an unknown layer. */
  get(chainId: Digest): CommittedLayer {
    return this.#find(chainId);
  }

  /** Bytes of the layers that `top` stands on, itself included. */
  stackSize(top: Digest): number {
    let total = 0;
    for (let next: Digest | undefined = top; next !== undefined; ) {
      const layer = this.#find(next);
      total += layer.sizeBytes;
      next = layer.parent;
    }
    return total;
  }

  /** False when `top` or something below it is missing. */
  isComplete(top: Digest | undefined): boolean {
    for (let next = top; next !== undefined; next = this.#layers.get(next)?.parent) {
      if (!this.#layers.has(next)) return false;
    }
    return true;
  }

  /** True when `top` is the layer, or stands on it. */
  isBelow(chainId: Digest, top: Digest | undefined): boolean {
    for (let next = top; next !== undefined; next = this.#layers.get(next)?.parent) {
      if (next === chainId) return true;
    }
    return false;
  }

  /** Where the files of one layer are, and the owners that they should have and cannot. `not-found` for an unknown one. */
  async ownFiles(chainId: Digest): Promise<{ dir: string; owners: LayerOwners }> {
    const { number } = this.#find(chainId);
    return { dir: this.dirOf(number), owners: await readOwners(this.#slotDir(number)) };
  }

  /** Numbers of the layers that `top` stands on, top first; the empty layer when there is none. */
  stack(top: Digest | undefined): readonly number[] {
    const numbers: number[] = [];
    for (let next = top; next !== undefined; ) {
      const layer = this.#find(next);
      numbers.push(layer.number);
      next = layer.parent;
    }
    return numbers.length === 0 ? [EMPTY_LAYER] : numbers;
  }

  /** The files of the layers that `top` stands on, as one tree. */
  mergedAt(top: Digest | undefined): MergedDirectory {
    const dirs = this.stack(top).map((number) => this.dirOf(number));
    return new MergedDirectory(dirs, this.#options.whiteouts);
  }

  /** Owners that files of the layers that `top` stands on should have and cannot; the topmost layer counts. */
  async ownersAt(top: Digest | undefined): Promise<LayerOwners> {
    const merged = new Map<string, FileOwner>();
    for (const number of this.stack(top).toReversed()) {
      for (const [path, owner] of await readOwners(this.#slotDir(number))) merged.set(path, owner);
    }
    return merged;
  }

  /** Absolute path of a layer's files. */
  dirOf(number: number): string {
    return join(this.#options.dir, String(number), CONTENTS);
  }

  /** Path of a layer's files, relative to the store's directory. */
  relativeDirOf(number: number): string {
    return `${number}/${CONTENTS}`;
  }

  async prepare(): Promise<LayerSlot> {
    const number = this.#nextNumber++;
    const dir = this.dirOf(number);
    try {
      await mkdir(dir, { recursive: true, mode: 0o755 });
    } catch (error) {
      throw writeFailed('make room for a layer', error);
    }
    return {
      dir,
      whiteouts: this.#options.whiteouts,
      commit: (layer) => this.#commit(number, layer),
      abandon: () => this.#abandon(number),
    };
  }

  /** Makes a layer of the directory `contents`, which is moved here unless the layer is there already. */
  async adopt(contents: string, layer: CommittedLayer): Promise<'committed' | 'already-exists'> {
    if (this.#layers.has(layer.chainId)) return 'already-exists';
    const number = this.#nextNumber++;
    try {
      await mkdir(this.#slotDir(number), { mode: 0o755 });
      await rename(contents, this.dirOf(number));
    } catch (error) {
      throw writeFailed('make room for a layer', error);
    }
    return await this.#commit(number, layer);
  }

  /** Removes a layer. `conflict` while another layer stands on it. Idempotent. */
  async remove(chainId: Digest): Promise<void> {
    for (const other of this.#layers.values()) {
      if (other.parent === chainId) throw layerInUse(chainId);
    }
    await this.discard(chainId);
  }

  /** The same, whatever stands on the layer. */
  async discard(chainId: Digest): Promise<void> {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) return;
    this.#layers.delete(chainId);
    try {
      await this.#options.removal.remove(this.#slotDir(layer.number));
    } catch (error) {
      this.#layers.set(chainId, layer);
      throw error;
    }
  }

  async #commit(number: number, layer: CommittedLayer): Promise<'committed' | 'already-exists'> {
    if (this.#layers.has(layer.chainId)) {
      await this.#abandon(number);
      return 'already-exists';
    }
    if (layer.parent !== undefined) this.#find(layer.parent);
    // Visible at once for other commits of the same layer.
    const { chainId, parent, sizeBytes, owners = NO_OWNERS } = layer;
    const stored = { chainId, parent, sizeBytes, number };
    this.#layers.set(layer.chainId, stored);
    try {
      const unsynced = { bootId: this.#disk.bootId, isLost: false };
      await writeOwners(this.#slotDir(number), owners);
      await createLayerDocument(this.#slotDir(number), { ...toDocument(layer), unsynced });
    } catch (error) {
      this.#layers.delete(layer.chainId);
      throw writeFailed('register layer', error);
    }
    this.#sync.add(stored);
    return 'committed';
  }

  async #recordSync(layer: StoredLayer, outcome: SyncOutcome): Promise<void> {
    const isThere = () => this.#layers.get(layer.chainId) === layer;
    if (!isThere()) return;
    const document = toDocument(layer);
    const unsynced = { bootId: this.#disk.bootId, isLost: true };
    try {
      await replaceLayerDocument(
        this.#slotDir(layer.number),
        outcome === 'synced' ? document : { ...document, unsynced },
      );
    } catch (error) {
      if (isThere()) throw error;
    }
  }

  async #abandon(number: number): Promise<void> {
    try {
      await this.#options.removal.remove(this.#slotDir(number));
    } catch (error) {
      // The next start finds a directory without document and removes it.
      this.#options.logger.warn('an unfinished layer could not be removed', { number, error });
    }
  }

  async #load(name: string): Promise<void> {
    const number = Number(name);
    if (number === EMPTY_LAYER) return;
    const document = Number.isSafeInteger(number) ? await this.#read(number) : undefined;
    if (document === undefined) {
      await this.#options.removal.remove(join(this.#options.dir, name));
      return;
    }
    const { chainId, parent, sizeBytes, unsynced } = document;
    const layer = { number, chainId, parent: parent ?? undefined, sizeBytes };
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    this.#layers.set(chainId, layer);
    if (unsynced === undefined) return;
    await removeHalfReplaced(this.#slotDir(number));
    if (!unsynced.isLost) this.#sync.add(layer);
  }

  /** Undefined for what was never committed, and for a layer that may have holes. */
  async #read(number: number): Promise<LayerDocument | undefined> {
    try {
      const document = await readLayerDocument(this.#slotDir(number));
      const { chainId, unsynced } = document;
      if (unsynced === undefined || unsynced.bootId === this.#disk.bootId) return document;
      this.#options.logger.warn(
        'a layer may not have reached the disk before the machine stopped',
        {
          chainId,
        },
      );
    } catch (error) {
      this.#options.logger.debug('removing an unfinished layer', { number, error });
    }
    return undefined;
  }

  #slotDir(number: number): string {
    return join(this.#options.dir, String(number));
  }

  #find(chainId: Digest): StoredLayer {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) throw noSuchLayer(chainId);
    return layer;
  }
}

function toDocument({ chainId, parent, sizeBytes }: CommittedLayer): LayerDocument {
  return { v: 1, chainId, parent: parent ?? null, sizeBytes };
}
