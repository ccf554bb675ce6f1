/**
 * Committed layers on disk, the same for all snapshotters: `layers/<n>/fs` with `layer.json` beside it, which is
 * written last. A numbered directory without that file is debris of a crash. Numbers keep mount options short.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { Logger } from '../../shared/logger.ts';
import { writeFileDurably } from '../../sys/fs/durable.ts';
import type { CommittedLayer, LayerSlot, WhiteoutFormat } from '../snapshotter.ts';
import { layerInUse, noSuchLayer, writeFailed } from '../storage-errors.ts';
import type { BackgroundRemoval } from './background-removal.ts';

const DOCUMENT = 'layer.json';
const CONTENTS = 'fs';
/** Number of the always empty layer, for file systems that stand on nothing. */
const EMPTY_LAYER = 0;

const digest = v.pipe(
  v.string(),
  v.check((text) => parseDigest(text) !== undefined),
  v.transform((text) => text as Digest),
);
const documentSchema = v.object({
  v: v.literal(1),
  chainId: digest,
  parent: v.nullable(digest),
  sizeBytes: v.number(),
});

interface StoredLayer extends CommittedLayer {
  readonly number: number;
}

export interface LayerStoreOptions {
  readonly dir: string;
  readonly whiteouts: WhiteoutFormat;
  readonly removal: BackgroundRemoval;
  readonly logger: Logger;
}

export class LayerStore {
  readonly #options: LayerStoreOptions;
  readonly #layers = new Map<Digest, StoredLayer>();
  #nextNumber = EMPTY_LAYER + 1;

  private constructor(options: LayerStoreOptions) {
    this.#options = options;
  }

  /** Reads what is there and removes debris. */
  static async open(options: LayerStoreOptions): Promise<LayerStore> {
    const store = new LayerStore(options);
    await mkdir(store.dirOf(EMPTY_LAYER), { recursive: true, mode: 0o755 });
    for (const name of await readdir(options.dir)) await store.#load(name);
    store.#dropOrphans();
    return store;
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

  /** Removes a layer. `conflict` while another layer stands on it. Idempotent. */
  async remove(chainId: Digest): Promise<void> {
    const layer = this.#layers.get(chainId);
    if (layer === undefined) return;
    for (const other of this.#layers.values()) {
      if (other.parent === chainId) throw layerInUse(chainId);
    }
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
    // Visible at once for other commits of the same layer, but only durable ones survive.
    this.#layers.set(layer.chainId, { ...layer, number });
    try {
      await this.#write(number, layer);
    } catch (error) {
      this.#layers.delete(layer.chainId);
      throw writeFailed('register layer', error);
    }
    return 'committed';
  }

  #write(number: number, layer: CommittedLayer): Promise<void> {
    const { chainId, parent, sizeBytes } = layer;
    const document = { v: 1, chainId, parent: parent ?? null, sizeBytes };
    return writeFileDurably(join(this.#slotDir(number), DOCUMENT), JSON.stringify(document));
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
    const layer = Number.isSafeInteger(number) ? await this.#read(number) : undefined;
    if (layer === undefined) {
      await this.#options.removal.remove(join(this.#options.dir, name));
      return;
    }
    this.#nextNumber = Math.max(this.#nextNumber, number + 1);
    this.#layers.set(layer.chainId, layer);
  }

  async #read(number: number): Promise<StoredLayer | undefined> {
    try {
      const raw: unknown = JSON.parse(
        await readFile(join(this.#slotDir(number), DOCUMENT), 'utf8'),
      );
      const { chainId, parent, sizeBytes } = v.parse(documentSchema, raw);
      return { number, chainId, parent: parent ?? undefined, sizeBytes };
    } catch (error) {
      this.#options.logger.debug('removing an unfinished layer', { number, error });
      return undefined;
    }
  }

  /** A layer whose parent is lost is of no use: forget it; its image is unpacked anew. */
  #dropOrphans(): void {
    for (const layer of this.#layers.values()) {
      if (layer.parent !== undefined && !this.#layers.has(layer.parent)) {
        this.#options.logger.warn('a layer lost the one below it', { chainId: layer.chainId });
        this.#layers.delete(layer.chainId);
        this.#dropOrphans();
        return;
      }
    }
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
