/** Writing to one repository of a registry that speaks the OCI distribution API. */
import type { Digest } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { BlobSource, PushTarget } from '../image-registry.ts';
import { pushScope, type UploadOutcome, uploadBlob } from './blob-upload.ts';
import type { RegistryConnection } from './registry-connection.ts';
import { RegistryFailure, toPushError } from './registry-errors.ts';
import { type RetryPolicy, withRetries } from './retry.ts';

export interface PushAccess {
  readonly connection: RegistryConnection;
  readonly policy: RetryPolicy;
}

export class OciPushTarget implements PushTarget {
  readonly #repository: string;
  readonly #access: PushAccess;

  constructor(reference: ImageReference, access: PushAccess) {
    this.#repository = reference.path;
    this.#access = access;
  }

  async hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const path = `v2/${this.#repository}/blobs/${digest}`;
    try {
      await this.#try(signal, async ({ connection }) => {
        const scope = pushScope(this.#repository);
        const response = await connection.send({ method: 'HEAD', path, scope, signal });
        response.body.resume();
      });
      return true;
    } catch (error) {
      if (error instanceof RegistryFailure && error.status === 404) return false;
      throw toPushError(error);
    }
  }

  async uploadBlob(
    blob: Pick<Descriptor, 'digest' | 'size'>,
    source: BlobSource,
    signal: AbortSignal,
  ): Promise<UploadOutcome> {
    try {
      const repository = this.#repository;
      return await uploadBlob({ ...this.#access, repository, blob, source, signal });
    } catch (error) {
      throw toPushError(error);
    }
  }

  async putManifest(
    tagOrDigest: string,
    manifest: { readonly mediaType: string; readonly bytes: Uint8Array },
    signal: AbortSignal,
  ): Promise<void> {
    const path = `v2/${this.#repository}/manifests/${tagOrDigest}`;
    const headers = { 'content-type': manifest.mediaType };
    const { bytes } = manifest;
    const body = {
      sizeBytes: bytes.length,
      open: async function* () {
        yield bytes;
      },
    };
    try {
      await this.#try(signal, async ({ connection }) => {
        const scope = pushScope(this.#repository);
        const response = await connection.send({
          ...{ method: 'PUT', path, scope, headers, body, signal },
        });
        response.body.resume();
      });
    } catch (error) {
      throw toPushError(error);
    }
  }

  #try<T>(signal: AbortSignal, operation: (access: PushAccess) => Promise<T>): Promise<T> {
    return withRetries(this.#access.policy, signal, () => operation(this.#access));
  }
}
