/** All images in memory, with the documents and blobs behind them; the only writer of image documents. */

import { chainIds } from '../../oci/chain-id.ts';
import {
  decodeImageConfig,
  decodeIndex,
  decodeJson,
  decodeManifest,
} from '../../oci/decode-image.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import type { Descriptor, ImageConfig, Index, Manifest } from '../../oci/image-spec.ts';
import { OCI_INDEX } from '../../oci/media-types.ts';
import type { Platform } from '../../oci/platform.ts';
import { messageOf } from '../../shared/errors.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Collection } from '../../state/collection.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { LayoutEntry, LayoutIndex } from '../../storage/layout-index.ts';
import type { SharedLayouts } from '../../storage/shared-layouts.ts';
import type { Snapshotter } from '../../storage/snapshotter.ts';
import type { ImageDocument } from './image-document.ts';
import { malformedDocument } from './image-errors.ts';
import { sharedImages } from './shared-images.ts';

/** Largest manifest and image config that are read into memory. */
export const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

/** An image with its documents decoded. */
export interface ImageRecord {
  readonly document: ImageDocument;
  /** What it came with: the index, or else the manifest. */
  readonly top: Descriptor;
  readonly index: Index | undefined;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly chainIds: readonly Digest[];
  /** Sum of the sizes of the layers' files. */
  readonly sizeBytes: number;
  /** Where a shared store has it, and the names that it has there: those cannot be taken off. */
  readonly shared?: { readonly dir: string; readonly names: readonly string[] };
}

export interface ImageStoreDeps {
  readonly documents: Collection<ImageDocument>;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly layoutIndex: LayoutIndex;
  /** Read-only stores of several users. */
  readonly layouts: SharedLayouts;
  /** What images of several platforms stand for. */
  readonly platform: Platform;
  readonly logger: Logger;
}

export class ImageStore {
  readonly #deps: ImageStoreDeps;
  readonly #records = new Map<Digest, ImageRecord>();
  /** Image ids by full reference, with tag or with digest. */
  readonly #names = new Map<string, Digest>();
  /** The same for what shared stores have; our own counts more. */
  #shared: ReadonlyMap<Digest, ImageRecord> = new Map();
  readonly #locks = new KeyedMutex<'images'>();

  private constructor(deps: ImageStoreDeps) {
    this.#deps = deps;
  }

  /** Loads all images. One whose blobs are missing is left out and logged: pulling it again repairs it. */
  static async open(deps: ImageStoreDeps): Promise<ImageStore> {
    const store = new ImageStore(deps);
    await store.refreshShared();
    const documents = deps.documents.list().map((document) => document.value);
    // A tag on two images is the trace of a crash while it moved: the later one has it.
    for (const document of documents.toSorted(byTagTime)) await store.#load(document);
    try {
      await store.#writeLayoutIndex();
    } catch (error) {
      // Only other tools read it, and the next change writes it: a full disk must not keep what makes room from starting.
      deps.logger.warn('the index of images could not be written', { error });
    }
    return store;
  }

  /** Our own images, and those of shared stores. */
  list(): readonly ImageRecord[] {
    const ids = new Set([...this.#records.keys(), ...this.#shared.keys()]);
    return [...ids].flatMap((id) => this.get(id) ?? []);
  }

  /** An image that is also in a shared store has the names of both. */
  get(id: Digest): ImageRecord | undefined {
    const [own, there] = [this.#records.get(id), this.#shared.get(id)];
    if (own === undefined || there?.shared === undefined) return own ?? there;
    const names = there.shared.names.filter((name) => (this.#names.get(name) ?? id) === id);
    const tags = [...new Set([...own.document.tags, ...names])];
    return { ...own, document: { ...own.document, tags }, shared: { ...there.shared, names } };
  }

  /** Looks whether shared stores have changed. Never rejects: one that cannot be read has no images. */
  async refreshShared(): Promise<void> {
    const entries = await this.#deps.layouts.changed();
    if (entries === undefined) return;
    for (const { dir, reason } of this.#deps.layouts.unreadable()) {
      this.#deps.logger.warn('a shared image store cannot be read', { dir, reason });
    }
    const shared = new Map<Digest, ImageRecord>();
    for (const { dir, document } of await sharedImages(this.#deps, entries)) {
      const record = await this.#read(document);
      const sizeBytes = record.sizeBytes || packedSize(record);
      shared.set(document.id, { ...record, sizeBytes, shared: { dir, names: document.tags } });
    }
    this.#shared = shared;
  }

  /** To be called when layers of a shared image were unpacked: tells its size anew. */
  async unpackedShared(id: Digest): Promise<void> {
    const record = this.#shared.get(id);
    if (record === undefined) return;
    const sizeBytes = await this.#sizeOfAll(record.chainIds);
    this.#shared = new Map([...this.#shared, [id, { ...record, sizeBytes }]]);
  }

  /** The image that a full reference names. */
  find(name: string): ImageRecord | undefined {
    const id = this.#names.get(name);
    if (id !== undefined) return this.get(id);
    for (const { document } of this.#shared.values()) {
      if (document.tags.includes(name)) return this.get(document.id);
    }
    return undefined;
  }

  /**
   * Stores an image whose blobs and layers are there, or adds names to it and makes the given manifest its own.
   * Names move here from other images.
   */
  put(document: ImageDocument): Promise<ImageRecord> {
    return this.#locks.run('images', async () => {
      const known = this.#deps.documents.get(digestHex(document.id));
      const value =
        known === undefined
          ? (await this.#deps.documents.create(digestHex(document.id), document)).value
          : await known.update((current) => merge(current, document));
      const record = await this.#index(value);
      await this.#takeNamesFromOthers(record, document);
      await this.#writeLayoutIndex();
      return record;
    });
  }

  /** Every stored document, also of images that could not be loaded. */
  documents(): readonly ImageDocument[] {
    return this.#deps.documents.list().map((document) => document.value);
  }

  /** Loads an image that could not be loaded before. Rejects while its blobs are damaged. */
  reload(document: ImageDocument): Promise<ImageRecord> {
    return this.#locks.run('images', () => this.#index(document));
  }

  /** Whether the index for other tools tells of what is here. */
  isIndexCurrent(): Promise<boolean> {
    return this.#locks.run('images', () =>
      this.#deps.layoutIndex.isCurrent(layoutEntries([...this.#records.values()])),
    );
  }

  /** Writes the index for other tools. */
  refreshIndex(): Promise<void> {
    return this.#locks.run('images', () => this.#writeLayoutIndex());
  }

  /** Takes names off an image; unknown ones are ignored. */
  removeNames(id: Digest, names: readonly string[]): Promise<void> {
    return this.#locks.run('images', async () => {
      await this.#dropNames(id, names);
      await this.#writeLayoutIndex();
    });
  }

  /** Forgets an image. Its blobs and layers stay until the next sweep. Idempotent. */
  remove(id: Digest): Promise<void> {
    return this.#locks.run('images', async () => {
      await this.#deps.documents.remove(digestHex(id));
      this.#records.delete(id);
      for (const [name, owner] of this.#names) if (owner === id) this.#names.delete(name);
      await this.#writeLayoutIndex();
    });
  }

  async #load(document: ImageDocument): Promise<void> {
    try {
      await this.#index(document);
    } catch (error) {
      this.#deps.logger.warn('an image is damaged: pull it again', {
        id: document.id,
        tags: document.tags,
        reason: messageOf(error),
      });
    }
  }

  async #read(document: ImageDocument): Promise<ImageRecord> {
    const { manifest, config } = await this.#readBlobs(document);
    const chain = chainIds(config.rootfs.diff_ids);
    const index = await this.#readIndex(document);
    return {
      ...{ document, manifest, config, chainIds: chain },
      ...(index ?? { top: document.manifest, index: undefined }),
      sizeBytes: await this.#sizeOfAll(chain),
    };
  }

  async #sizeOfAll(chain: readonly Digest[]): Promise<number> {
    const sizes = await Promise.all(chain.map((chainId) => this.#sizeOf(chainId)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async #index(document: ImageDocument): Promise<ImageRecord> {
    const record = await this.#read(document);
    this.#records.set(document.id, record);
    for (const name of [...document.tags, ...document.repoDigests]) {
      this.#names.set(name, document.id);
    }
    return record;
  }

  async #readBlobs(document: ImageDocument): Promise<{ manifest: Manifest; config: ImageConfig }> {
    const { content } = this.#deps;
    const manifestBytes = await content.read(document.manifest.digest, MAX_DOCUMENT_BYTES);
    const manifest = decodeJson(manifestBytes, decodeManifest);
    if (!manifest.ok) throw malformedDocument('manifest', manifest.problem);
    const config = decodeJson(
      await content.read(document.id, MAX_DOCUMENT_BYTES),
      decodeImageConfig,
    );
    if (!config.ok) throw malformedDocument('image config', config.problem);
    return { manifest: manifest.value, config: config.value };
  }

  /** An index only tells more of the image: one that is not there any more is done without. */
  async #readIndex({ indexDigest: digest }: ImageDocument) {
    if (digest === undefined) return undefined;
    if ((await this.#deps.content.stat(digest)) === undefined) return undefined;
    const bytes = await this.#deps.content.read(digest, MAX_DOCUMENT_BYTES);
    const decoded = decodeJson(bytes, decodeIndex);
    if (!decoded.ok) return undefined;
    const mediaType = decoded.value.mediaType ?? OCI_INDEX;
    return { top: { mediaType, digest, size: bytes.length }, index: decoded.value };
  }

  async #sizeOf(chainId: Digest): Promise<number> {
    const { snapshots } = this.#deps;
    return (await snapshots.hasCommitted(chainId)) ? await snapshots.committedSize(chainId) : 0;
  }

  async #takeNamesFromOthers(owner: ImageRecord, added: ImageDocument): Promise<void> {
    const names = [...added.tags, ...added.repoDigests];
    for (const { document } of this.#records.values()) {
      const shared = names.filter(
        (name) => document.tags.includes(name) || document.repoDigests.includes(name),
      );
      if (document.id === owner.document.id || shared.length === 0) continue;
      await this.#dropNames(document.id, shared);
      for (const name of shared) this.#names.set(name, owner.document.id);
    }
  }

  async #dropNames(id: Digest, names: readonly string[]): Promise<void> {
    const record = this.#records.get(id);
    const stored = this.#deps.documents.get(digestHex(id));
    if (record === undefined || stored === undefined) return;
    const isKept = (name: string) => !names.includes(name);
    const document = await stored.update((current) => ({
      ...current,
      tags: current.tags.filter(isKept),
      repoDigests: current.repoDigests.filter(isKept),
    }));
    this.#records.set(id, { ...record, document });
    for (const name of names) if (this.#names.get(name) === id) this.#names.delete(name);
  }

  async #writeLayoutIndex(): Promise<void> {
    await this.#deps.layoutIndex.write(layoutEntries([...this.#records.values()]));
  }
}

/** Of an image that is not unpacked more is not known. */
function packedSize({ manifest }: ImageRecord): number {
  return manifest.layers.reduce((sum, { size }) => sum + size, 0);
}

function layoutEntries(records: readonly ImageRecord[]): readonly LayoutEntry[] {
  return records.flatMap(({ document }) => {
    const names = document.tags.length === 0 ? [undefined] : document.tags;
    return names.map((name) => ({ manifest: document.manifest, name }));
  });
}

function merge(current: ImageDocument, added: ImageDocument): ImageDocument {
  return {
    ...added,
    tags: [...new Set([...current.tags, ...added.tags])],
    repoDigests: [...new Set([...current.repoDigests, ...added.repoDigests])],
  };
}

function byTagTime(one: ImageDocument, other: ImageDocument): number {
  return one.lastTaggedAt.localeCompare(other.lastTaggedAt);
}
