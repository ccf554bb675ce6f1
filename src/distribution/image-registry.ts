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
   * digest. Ends early only by a throw.
   */
  openBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>;
}

export interface ImageRegistry {
  repository(reference: ImageReference, credentials: RegistryCredentials | undefined): Repository;
  /** `unauthorized` when the registry refuses the credentials. */
  login(credentials: RegistryCredentials): Promise<{ status: string; identityToken: string }>;
}
