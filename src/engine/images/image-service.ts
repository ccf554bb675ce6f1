/** Images: the verbs of the API and what other parts of the engine ask. */
import { availableParallelism } from 'node:os';
import type {
  ImageBackend,
  ImageHistoryEntry,
  ImageRemoval,
  ImageSearch,
  ImportRequest,
  InspectImageOptions,
  ListImagesOptions,
  PullRequest,
  PushRequest,
  RemoteImage,
  RemoveImageOptions,
  SaveRequest,
} from '../../api/image-backend.ts';
import type { BuildImages } from '../../builder/build-images.ts';
import type { RegistryLimit, SearchResult } from '../../distribution/image-registry.ts';
import type { StorageLine } from '../../handshake/storage-report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { CacheSource } from '../../storage/cache-source.ts';
import type { Filters } from '../../wire/filters.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import { DownloadCache } from '../cache/download-cache.ts';
import { buildImages } from './build-images.ts';
import type { CheckOptions } from './check/check-run.ts';
import { checkStorage } from './check/check-storage.ts';
import { collectGarbage } from './collect-garbage.ts';
import { commitImage, type ImageCommit } from './commit-image.ts';
import { describeRemoteImage } from './describe-remote-image.ts';
import type { ImageDeps, ImageServiceOptions } from './image-deps.ts';
import { imageHistory } from './image-history.ts';
import { imageManifests } from './image-manifests.ts';
import { ImageStore } from './image-store.ts';
import type { ImageView } from './image-view.ts';
import { importImage } from './import-image.ts';
import { importFromUrl } from './import-url.ts';
import { LayerCompressor } from './layer-compressor.ts';
import { LayerTransfers } from './layer-transfers.ts';
import { Leases } from './leases.ts';
import { listImages } from './list-images.ts';
import { loadImages } from './load-images.ts';
import { findForPlatform } from './platform-choice.ts';
import { pruneImages } from './prune-images.ts';
import { pullImage } from './pull-image.ts';
import { pushImage } from './push-image.ts';
import { removeImage } from './remove-image.ts';
import { repairImages, unpackShared } from './repair-images.ts';
import { resolveImage, tryResolveImage } from './resolve-image.ts';
import { saveImages } from './save-images.ts';
import { searchImages } from './search-images.ts';
import { sharedSizes } from './shared-sizes.ts';
import { tagImage } from './tag-image.ts';
import { toImageView } from './to-image-view.ts';

export class ImageService implements ImageBackend {
  /** Beginnings of broken downloads, kept for the next pull. */
  readonly downloads: CacheSource;
  readonly #deps: ImageDeps;

  private constructor(deps: ImageDeps) {
    this.#deps = deps;
    this.downloads = new DownloadCache(deps.content.partials, deps.leases);
  }

  /** Loads what is stored. Call `recover` once, before the first request. */
  static async open(options: ImageServiceOptions): Promise<ImageService> {
    const store = await ImageStore.open(options);
    const transfers = new LayerTransfers(options);
    const leases = new Leases();
    const atOnce = availableParallelism();
    const compressor = new LayerCompressor({ content: options.content, leases, atOnce });
    return new ImageService({ ...options, store, transfers, leases, compressor });
  }

  /**
   * Cleans up after a crash: half-written blobs, unreferenced blobs and layers; unpacks lost layers anew. Such blobs are
   * mostly those of a pull that did not come to its end, so they count as beginnings of downloads.
   */
  async recover(signal: AbortSignal): Promise<void> {
    await this.#deps.content.removeStaleIngests();
    await repairImages(this.#deps, signal);
    await collectGarbage(this.#deps, { setAside: 'all' });
  }

  /** The image that `ref` names, with all its layers unpacked. `not-found` with `No such image: x`. */
  async resolve(ref: string): Promise<ImageView> {
    await this.#deps.store.refreshShared();
    const { record } = resolveImage(this.#deps.store, ref);
    await unpackShared(this.#deps, record);
    return await this.inspect(record.document.id);
  }

  /** True while `ref` still names this image. */
  stillNames(ref: string, imageId: string): boolean {
    return tryResolveImage(this.#deps.store, ref)?.record.document.id === imageId;
  }

  async list(options: ListImagesOptions): Promise<readonly ImageView[]> {
    await this.#deps.store.refreshShared();
    let views = listImages(this.#deps, options.filters);
    if (options.manifests === true) {
      views = await Promise.all(views.map((view) => this.#withManifests(view)));
    }
    if (options.sharedSize !== true) return views;
    const shared = await sharedSizes(this.#deps);
    return views.map((view) => ({ ...view, sharedSizeBytes: shared.get(view.id) ?? 0 }));
  }

  async inspect(ref: string, options: InspectImageOptions = {}): Promise<ImageView> {
    await this.#deps.store.refreshShared();
    const view = toImageView(this.#deps, findForPlatform(this.#deps, ref, options.platform));
    return options.manifests === true ? await this.#withManifests(view) : view;
  }

  async history(ref: string, platform?: string): Promise<readonly ImageHistoryEntry[]> {
    return await imageHistory(this.#deps, findForPlatform(this.#deps, ref, platform));
  }

  async #withManifests(view: ImageView): Promise<ImageView> {
    const record = this.#deps.store.get(view.id);
    if (record === undefined) return view;
    return { ...view, manifests: await imageManifests(this.#deps, record) };
  }

  pull(request: PullRequest, signal: AbortSignal): Promise<AsyncIterable<ProgressMessage>> {
    return pullImage(this.#deps, request, signal);
  }

  push(request: PushRequest, signal: AbortSignal): AsyncIterable<ProgressMessage> {
    return pushImage(this.#deps, request, signal);
  }

  describeRemote(
    request: Pick<PullRequest, 'image' | 'credentials'>,
    signal: AbortSignal,
  ): Promise<RemoteImage> {
    return describeRemoteImage(this.#deps, request, signal);
  }

  search(search: ImageSearch, signal: AbortSignal): Promise<readonly SearchResult[]> {
    return searchImages(this.#deps, search, signal);
  }

  load(
    archive: AsyncIterable<Uint8Array>,
    options: { quiet: boolean; platform?: string | undefined },
    signal: AbortSignal,
  ): AsyncIterable<ProgressMessage> {
    const { quiet, platform } = options;
    return loadImages(this.#deps, archive, { quiet, platform, signal });
  }

  save(request: SaveRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
    return saveImages(this.#deps, request, signal);
  }

  import(request: ImportRequest, archive: AsyncIterable<Uint8Array>): Promise<string> {
    return importImage(this.#deps, request, archive);
  }

  importFrom(
    source: string,
    request: ImportRequest,
    signal: AbortSignal,
  ): AsyncIterable<ProgressMessage> {
    return importFromUrl(this.#deps, { ...request, source }, signal);
  }

  /** Makes an image of what a container changed. Resolves to its id. */
  async commit(commit: ImageCommit): Promise<Digest> {
    return (await commitImage(this.#deps, commit)).document.id;
  }

  tag(ref: string, target: { repository: string; tag: string | undefined }): Promise<void> {
    return tagImage(this.#deps, ref, target);
  }

  async remove(ref: string, options: RemoveImageOptions): Promise<readonly ImageRemoval[]> {
    return (await removeImage(this.#deps, ref, options)).removals;
  }

  registryLimits(): readonly RegistryLimit[] {
    return this.#deps.registry.limits();
  }

  prune(filters: Filters): Promise<{ removals: readonly ImageRemoval[]; reclaimedBytes: number }> {
    return pruneImages(this.#deps, filters);
  }

  /** Checks credentials against a registry. */
  login(credentials: RegistryCredentials): Promise<{ status: string; identityToken: string }> {
    return this.#deps.registry.login(credentials);
  }

  /** Compares what is stored with the digests that name it. */
  check(options: CheckOptions, signal: AbortSignal): AsyncIterable<StorageLine> {
    return checkStorage(this.#deps, options, signal);
  }

  /** What builds need of the images. */
  forBuilds(): BuildImages {
    return buildImages(this.#deps);
  }

  /** Bytes of all layers, each counted once. */
  async layersBytes(): Promise<number> {
    const { snapshots } = this.#deps;
    const layers = await snapshots.listCommitted();
    const sizes = await Promise.all(layers.map((chainId) => snapshots.committedSize(chainId)));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** To be called after a container is gone: frees the layers of an image that was removed before it. */
  async releaseImage(imageId: Digest): Promise<void> {
    if (this.#deps.store.get(imageId) === undefined) await collectGarbage(this.#deps);
  }
}
