/** Reads a cache from wherever blobs can be had by digest: BuildKit's own artifacts, and images with an inline cache. */
import {
  decodeImageConfig,
  decodeIndex,
  decodeJson,
  decodeManifest,
} from '../../../oci/decode-image.ts';
import type { Digest } from '../../../oci/digest.ts';
import type { Descriptor } from '../../../oci/image-spec.ts';
import { isIndexType } from '../../../oci/media-types.ts';
import { EngineError } from '../../../shared/errors.ts';
import type { RemoteCache } from '../../solver.ts';
import {
  CACHE_CONFIG,
  type ImportedSteps,
  readCacheConfig,
  readInlineRecords,
} from './cache-config.ts';

/** A place that has blobs. */
export interface BlobPlace {
  /** Whole document in memory. */
  read(
    blob: Pick<Descriptor, 'digest' | 'size' | 'mediaType'>,
    signal: AbortSignal,
  ): Promise<Uint8Array>;
  open(blob: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Where an inline cache stands in an image's config. */
export const INLINE_CACHE = 'moby.buildkit.cache.v0';

const noCacheIn = (problem: string, cause?: unknown) =>
  new EngineError('invalid-argument', `invalid cache: ${problem}`, { cause });

/** The cache that a manifest or index leads to; empty for an image without one. Throws for what is neither. */
export async function readCache(
  place: BlobPlace,
  top: { readonly mediaType: string; readonly bytes: Uint8Array },
  signal: AbortSignal,
): Promise<RemoteCache> {
  const steps = await stepsOf(place, top, signal);
  return { steps, openBlob: (blob, blobSignal) => place.open(blob, blobSignal) };
}

async function stepsOf(
  place: BlobPlace,
  { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Uint8Array },
  signal: AbortSignal,
): Promise<ImportedSteps> {
  if (!isIndexType(mediaType)) return await stepsOfManifest(place, bytes, signal);
  const index = decodeJson(bytes, decodeIndex);
  if (!index.ok) throw noCacheIn(index.problem);
  const { manifests } = index.value;
  const config = manifests.find((entry) => entry.mediaType === CACHE_CONFIG);
  if (config !== undefined) return readCacheConfig(toJson(await place.read(config, signal)));
  const images = manifests.filter(({ platform }) => platform?.os !== 'unknown');
  const all = await Promise.all(
    images.map(
      async (image) => await stepsOfManifest(place, await place.read(image, signal), signal),
    ),
  );
  return new Map(all.flatMap((steps) => [...steps]));
}

async function stepsOfManifest(
  place: BlobPlace,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<ImportedSteps> {
  const manifest = decodeJson(bytes, decodeManifest);
  if (!manifest.ok) throw noCacheIn(manifest.problem);
  const { config, layers } = manifest.value;
  const document = await place.read(config, signal);
  if (config.mediaType === CACHE_CONFIG) return readCacheConfig(toJson(document));
  return inlineSteps(document, layers);
}

/** Steps that an image's config tells of; none for most images. */
export function inlineSteps(config: Uint8Array, layers: readonly Descriptor[]): ImportedSteps {
  const decoded = decodeJson(config, decodeImageConfig);
  if (!decoded.ok) throw noCacheIn(decoded.problem);
  const inline = (toJson(config) as Readonly<Record<string, unknown>>)[INLINE_CACHE];
  if (typeof inline !== 'string') return new Map();
  const diffIds = decoded.value.rootfs.diff_ids;
  const placed = layers.map((descriptor, index) => ({
    descriptor,
    diffId: diffIds[index] as Digest,
  }));
  if (placed.length !== diffIds.length) throw noCacheIn('layers and config differ in number');
  return readInlineRecords(toJson(Buffer.from(inline, 'base64')), placed);
}

function toJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw noCacheIn('not JSON', error);
  }
}
