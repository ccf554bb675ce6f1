/** What earlier builds left, as a source of caches: it lists the records and removes those that have to go. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import type { Collection } from '../../state/collection.ts';
import type { CacheEntry, CacheSource } from '../../storage/cache-source.ts';
import type { BuildImages } from '../build-images.ts';
import type { CacheDocument } from './cache-document.ts';
import { directoryBytes } from './directory-bytes.ts';

export interface StoredCacheDeps {
  readonly documents: Collection<CacheDocument>;
  readonly cacheMountsDir: string;
  readonly images: Pick<BuildImages, 'usesLayer' | 'sweep'>;
  readonly isInUse: (id: string) => boolean;
}

/** Blobs and layers that the records name. */
export function cachedDigests(documents: Collection<CacheDocument>): readonly Digest[] {
  return documents
    .list()
    .flatMap(({ value: { layer } }) =>
      layer === undefined || layer === null ? [] : [layer.chainId, layer.descriptor.digest],
    );
}

export class StoredCache implements CacheSource {
  readonly #deps: StoredCacheDeps;

  constructor(deps: StoredCacheDeps) {
    this.#deps = deps;
  }

  holds(): readonly Digest[] {
    return cachedDigests(this.#deps.documents);
  }

  async entries(): Promise<readonly CacheEntry[]> {
    const keys = [...this.#deps.documents.keys()].sort();
    const entries = await Promise.all(keys.map((id) => this.#entry(id)));
    return entries.flatMap((entry) => entry ?? []);
  }

  async evict(ids: readonly string[]): Promise<readonly string[]> {
    const gone: string[] = [];
    for (const id of ids) if (await this.#remove(id)) gone.push(id);
    if (gone.length > 0) await this.#deps.images.sweep();
    return gone;
  }

  async #entry(id: string): Promise<CacheEntry | undefined> {
    const { documents, cacheMountsDir, images, isInUse } = this.#deps;
    const value = documents.get(id)?.value;
    if (value === undefined) return undefined;
    const { layer, directory, kind, description, parents, usageCount } = value;
    const shared = layer !== undefined && layer !== null && images.usesLayer(layer.chainId);
    const ownBytes =
      directory === undefined ? value.sizeBytes : await directoryBytes(join(cacheMountsDir, id));
    const createdMs = Date.parse(value.createdAt);
    return {
      ...{ id, type: kind, description, parents, usageCount, shared, createdMs },
      sizeBytes: shared ? 0 : ownBytes,
      lastUsedMs: value.lastUsedAt === undefined ? createdMs : Date.parse(value.lastUsedAt),
      inUse: isInUse(id),
    };
  }

  /** False when a build has taken it up meanwhile. */
  async #remove(id: string): Promise<boolean> {
    const { documents, cacheMountsDir, isInUse } = this.#deps;
    const document = documents.get(id);
    if (document === undefined || isInUse(id)) return false;
    await documents.remove(id);
    if (document.value.directory !== undefined) {
      await rm(join(cacheMountsDir, id), { recursive: true, force: true });
    }
    return true;
  }
}
