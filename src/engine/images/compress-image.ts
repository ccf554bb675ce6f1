/** Makes an image ready for its registry. */
import { digestOf } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/image-spec.ts';
import { gzipTypeOf } from '../../oci/media-types.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import type { CompressedLayer } from './layer-compressor.ts';

/**
 * The image with its layers compressed; from now on it consists of these, so that later pushes have the same digest and nothing to do.
 * An image that a registry is known to have keeps the form that it has there.
 */
export async function compressImage(
  deps: ImageDeps,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<ImageRecord> {
  const { document, manifest, index } = record;
  const isKnown = document.repoDigests.length > 0 || index !== undefined;
  const isPlain = manifest.layers.some(({ mediaType }) => gzipTypeOf(mediaType) !== undefined);
  if (isKnown || !isPlain) return record;
  const compressed: CompressedLayer[] = [];
  try {
    const works = manifest.layers.map(async (layer) => {
      const made = await deps.compressor.compressed(layer, signal);
      compressed.push(made);
      return made.descriptor;
    });
    await Promise.allSettled(works);
    return await replaceManifest(deps, record, { ...manifest, layers: await Promise.all(works) });
  } finally {
    for (const { release } of compressed) release();
  }
}

/** The layers of the manifest must be protected until this resolves. */
async function replaceManifest(
  deps: ImageDeps,
  { document }: ImageRecord,
  manifest: Manifest,
): Promise<ImageRecord> {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = digestOf(bytes);
  const release = await deps.leases.hold([digest, document.id]);
  try {
    await deps.content.ingest({ digest, sizeBytes: bytes.length }, one(bytes));
    const { mediaType } = document.manifest;
    return await deps.store.put({
      ...document,
      manifest: { mediaType, digest, size: bytes.length },
      tags: [],
    });
  } finally {
    release();
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
