/** Port: images in a registry. From references to documents and bytes; knows nothing of our own store. */
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image-spec.ts';
import type { ImageReference } from '../oci/reference.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

/** A manifest or index as the registry holds it; `digest` is that of `bytes`, computed here. */
export interface FetchedManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** How much more the registry allows, for people; where it says so. */
  readonly rateLimit?: string | undefined;
}

/** One repository, reached with one user's credentials. */
export interface Repository {
  /**
   * The manifest or index of a tag or digest, checked against the digest when one is given. `not-found` in
   * Docker's words for what does not exist or may not be read; `internal` when the registry cannot be reached.
   */
  fetchManifest(tagOrDigest: string, signal: AbortSignal): Promise<FetchedManifest>;
  /**
   * The bytes of a blob, in order, each once: broken downloads go on where they stopped. Not checked against the
   * digest. Ends early only by a throw. With `offset` (0) the bytes before it are left out.
   */
  openBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
    offset?: number,
  ): AsyncIterable<Uint8Array>;
  /** All tags, in the registry's order. */
  listTags(signal: AbortSignal): Promise<readonly string[]>;
}

/** Where the bytes of a blob come from when the registry lacks it. */
export interface BlobSource {
  /** Repository of the same registry that is known to hold the blob: the registry may take it from there. */
  readonly mountFrom?: string;
  /** The blob from byte `offset` on; called anew for each try. */
  open(offset: number): AsyncIterable<Uint8Array>;
}

/** One repository to write to, reached with one user's credentials. Errors are `internal`, in Docker's words. */
export interface PushTarget {
  hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Brings the blob in; a broken upload is taken up again. */
  uploadBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    source: BlobSource,
    signal: AbortSignal,
  ): Promise<'uploaded' | 'mounted'>;
  /** Makes a manifest or index visible under a tag or its digest. All it names must be there. */
  putManifest(
    tagOrDigest: string,
    manifest: Pick<FetchedManifest, 'mediaType' | 'bytes'>,
    signal: AbortSignal,
  ): Promise<void>;
}

/** One line of a search. */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly starCount: number;
  readonly isOfficial: boolean;
  readonly isAutomated: boolean;
}

/** What a registry has said of how much more it allows. */
export interface RegistryLimit {
  readonly domain: string;
  /** For people: `76 of 100 pulls left in 6 hours`. */
  readonly left: string;
  /** When it said so, in milliseconds since the epoch. */
  readonly saidAtMs: number;
}

export interface ImageRegistry {
  /** What registries have said last, of those that were asked since the start and tell. */
  limits(): readonly RegistryLimit[];
  repository(reference: ImageReference, credentials: RegistryCredentials | undefined): Repository;
  /** Never a mirror: those are for reading. */
  pushTarget(reference: ImageReference, credentials: RegistryCredentials | undefined): PushTarget;
  /** Asks the index of `domain`. `not-implemented` when that registry has none. */
  search(
    query: { readonly domain: string; readonly term: string; readonly limit: number },
    signal: AbortSignal,
  ): Promise<readonly SearchResult[]>;
  /** `unauthorized` when the registry refuses the credentials. */
  login(credentials: RegistryCredentials): Promise<{ status: string; identityToken: string }>;
}
