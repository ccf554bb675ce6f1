/** A cache under an image's name: the image itself when it is in the store, else what its registry has. */
import type { ImageRegistry, Repository } from '../../../distribution/image-registry.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import type { Platform } from '../../../oci/platform.ts';
import {
  canonicalReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../../oci/reference.ts';
import { kindOf } from '../../../shared/errors.ts';
import type { ContentStore } from '../../../storage/content-store.ts';
import type { BuildImages, CredentialsFor } from '../../build-images.ts';
import { invalidContext } from '../../builder-errors.ts';
import type { CacheImport, RemoteCache } from '../../solver.ts';
import { type BlobPlace, inlineSteps, readCache } from './read-cache.ts';

/** Largest document of a cache that is read into memory. */
export const MAX_DOCUMENT_BYTES = 32 * 1024 * 1024;

export interface RegistryCacheDeps {
  readonly registry: Pick<ImageRegistry, 'repository'>;
  readonly images: Pick<BuildImages, 'resolve'>;
  readonly content: Pick<ContentStore, 'read' | 'open'>;
  readonly platform: Platform;
}

export function registryCache(
  deps: RegistryCacheDeps,
  source: { readonly ref: string; readonly credentialsFor: CredentialsFor },
): CacheImport {
  const { ref, credentialsFor } = source;
  return {
    name: ref,
    load: async (signal) => {
      const stored = await loadStored(deps, ref, signal);
      if (stored !== undefined && stored.steps.size > 0) return stored;
      const reference = cacheReference(ref);
      const credentials = await credentialsFor(reference.domain, signal);
      const repository = deps.registry.repository(reference, credentials);
      const top = await repository.fetchManifest(reference.digest ?? reference.tag ?? '', signal);
      return await readCache(placeIn(repository), top, signal);
    },
  };
}

/** `invalid-argument` for what is no name. */
export function cacheReference(ref: string): ImageReference {
  const parsed = parseReference(ref);
  if (!parsed.ok) throw invalidContext(`failed to parse ${ref}: ${parsed.problem}`);
  return withDefaultTag(parsed.reference);
}

async function loadStored(
  { images, content, platform }: RegistryCacheDeps,
  ref: string,
  signal: AbortSignal,
): Promise<RemoteCache | undefined> {
  const name = canonicalReference(cacheReference(ref));
  const credentialsFor = async () => undefined;
  const request = { ref: name, platform, pull: 'never' as const, credentialsFor };
  try {
    const image = await images.resolve({ ...request, onProgress: () => undefined }, signal);
    try {
      const config = await content.read(image.id, MAX_DOCUMENT_BYTES);
      const openBlob = (blob: Descriptor) => openStored(content, blob);
      return { steps: inlineSteps(config, image.layers), openBlob };
    } finally {
      image.release();
    }
  } catch (error) {
    if (kindOf(error) === 'not-found') return undefined;
    throw error;
  }
}

async function* openStored(
  content: Pick<ContentStore, 'open'>,
  { digest }: Descriptor,
): AsyncGenerator<Uint8Array> {
  yield* await content.open(digest);
}

function placeIn(repository: Repository): BlobPlace {
  const open: BlobPlace['open'] = (blob, signal) => repository.openBlob(blob, signal);
  return {
    open,
    read: async (blob, signal) => {
      if (blob.size > MAX_DOCUMENT_BYTES)
        throw invalidContext('the description of the cache is too long');
      if (blob.mediaType.includes('manifest') || blob.mediaType.includes('index'))
        return (await repository.fetchManifest(blob.digest, signal)).bytes;
      const parts: Uint8Array[] = [];
      for await (const part of open(blob, signal)) parts.push(part);
      return Buffer.concat(parts);
    },
  };
}
