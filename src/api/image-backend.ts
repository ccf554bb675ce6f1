/** What the API asks of the engine about images; one part of `backends.ts`. */
import type { RegistryLimit, SearchResult } from '../distribution/image-registry.ts';
import type { CheckOptions } from '../engine/images/check/check-run.ts';
import type { ImageView } from '../engine/images/image-view.ts';
import type { StorageLine } from '../handshake/storage-report.ts';
import type { Descriptor } from '../oci/image-spec.ts';
import type { Platform } from '../oci/platform.ts';
import type { Filters } from '../wire/filters.ts';
import type { ProgressMessage } from '../wire/json-stream.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

export interface PullRequest {
  /** `repo`, `repo:tag` or `repo@digest`. */
  readonly image: string;
  /** A tag or a digest; undefined when the reference carries it. */
  readonly tag: string | undefined;
  readonly platform: string | undefined;
  readonly credentials: RegistryCredentials | undefined;
}

export interface PushRequest {
  /** `repo` or `repo:tag`. */
  readonly image: string;
  /** Wins over the tag of `image`; without any, all tags of the repository are pushed. */
  readonly tag: string | undefined;
  readonly platform: string | undefined;
  readonly credentials: RegistryCredentials | undefined;
}

/** One entry of the answer to an image removal. */
export type ImageRemoval = { readonly untagged: string } | { readonly deleted: string };

export interface ImageSearch {
  /** What to look for, after the host of a registry if need be. */
  readonly term: string;
  /** 0: the default. */
  readonly limit: number;
  readonly filters: Filters;
}

/** An image in a registry. */
export interface RemoteImage {
  readonly descriptor: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>;
  readonly platforms: readonly Platform[];
}

export interface ImageHistoryEntry {
  /** Image id for the newest entry, `<missing>` for the rest. */
  readonly id: string;
  readonly createdSeconds: number;
  readonly createdBy: string;
  readonly tags: readonly string[];
  readonly sizeBytes: number;
  readonly comment: string;
}

export interface SaveRequest {
  /** References or ids; a repository without tag means all of its tags. */
  readonly names: readonly string[];
  readonly platform: string | undefined;
}

export interface ImportRequest {
  /** Undefined for an image without a name. */
  readonly target: { readonly repository: string; readonly tag: string | undefined } | undefined;
  readonly message: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  readonly platform: string | undefined;
}

export interface ListImagesOptions {
  readonly all: boolean;
  readonly filters: Filters;
  /** Find out how much each image shares with others. */
  readonly sharedSize?: boolean;
  /** Tell of the manifests of each image. */
  readonly manifests?: boolean;
}

export interface InspectImageOptions {
  readonly manifests?: boolean;
  /** What the image must be for. */
  readonly platform?: string | undefined;
}

export interface RemoveImageOptions {
  readonly force: boolean;
  readonly prune: boolean;
  /** What the image must be for: its only platform, if any is named. */
  readonly platforms?: readonly string[];
}

/** Lines for the client, which may stop reading. */
type Progress = AsyncIterable<ProgressMessage>;

export interface ImageBackend {
  list(options: ListImagesOptions): Promise<readonly ImageView[]>;
  inspect(ref: string, options?: InspectImageOptions): Promise<ImageView>;
  history(ref: string, platform?: string): Promise<readonly ImageHistoryEntry[]>;
  /** Rejects while nothing was sent yet (unknown image, no access); later failures end the iterable with a throw. */
  pull(request: PullRequest, signal: AbortSignal): Promise<Progress>;
  /** Rejects for a malformed name; every other failure ends the iterable with a throw. */
  push(request: PushRequest, signal: AbortSignal): Progress;
  /** What a registry holds under a name, without fetching it. */
  describeRemote(
    request: Pick<PullRequest, 'image' | 'credentials'>,
    signal: AbortSignal,
  ): Promise<RemoteImage>;
  search(search: ImageSearch, signal: AbortSignal): Promise<readonly SearchResult[]>;
  /** Reads a docker or OCI archive, plain or compressed. Failures end the iterable with a throw. */
  load(
    archive: AsyncIterable<Uint8Array>,
    options: { quiet: boolean; platform?: string | undefined },
    signal: AbortSignal,
  ): Progress;
  /** A tar stream, docker archive and OCI layout in one. Rejects before its first byte for what is not there. */
  save(request: SaveRequest, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** Makes an image of an archive of files, plain or compressed. Resolves to its id. */
  import(request: ImportRequest, archive: AsyncIterable<Uint8Array>): Promise<string>;
  /** The same from a URL, with progress and the id as the last line. `invalid-argument` at once for what is no URL. */
  importFrom(source: string, request: ImportRequest, signal: AbortSignal): Progress;
  /** What registries have said of their limits. */
  registryLimits(): readonly RegistryLimit[];
  /** Of what is stored, against the digests that name it. */
  check(options: CheckOptions, signal: AbortSignal): AsyncIterable<StorageLine>;
  tag(ref: string, target: { repository: string; tag: string | undefined }): Promise<void>;
  remove(ref: string, options: RemoveImageOptions): Promise<readonly ImageRemoval[]>;
  prune(filters: Filters): Promise<{ removals: readonly ImageRemoval[]; reclaimedBytes: number }>;
}
