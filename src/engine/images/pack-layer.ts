/** From the tar stream of a layer to a blob in the store. */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Digest, DigestCounter, digestOf } from '../../oci/digest.ts';
import type { Descriptor } from '../../oci/image-spec.ts';
import { OCI_LAYER_GZIP } from '../../oci/media-types.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ReleaseLease } from './leases.ts';

/** A layer whose blob is stored; its files are not unpacked yet. */
export interface PackedLayer {
  readonly descriptor: Descriptor;
  /** Digest of the tar stream. */
  readonly diffId: Digest;
  /** Ends the protection of the blob. */
  readonly release: ReleaseLease;
}

/** Two blocks of zeros: an archive without entries. */
const EMPTY_TAR = digestOf(new Uint8Array(1024));
/** Somebody waits for the commit; a registry or an archive gets these bytes only when asked. */
const LEVEL = 1;

/** Stores the layer, protected until released; undefined, and nothing stored, when it has no entries. */
export async function packLayer(
  deps: Pick<ImageDeps, 'content' | 'leases'>,
  tar: AsyncIterable<Uint8Array>,
): Promise<PackedLayer | undefined> {
  const counter = new DigestCounter();
  const staged = await deps.content.stage(gzipped(counted(tar, counter)));
  const diffId = counter.digest();
  if (diffId === EMPTY_TAR) {
    await staged.discard();
    return undefined;
  }
  const { digest, sizeBytes: size } = staged;
  const release = await deps.leases.hold([digest]);
  try {
    await staged.publish();
  } catch (error) {
    release();
    await staged.discard();
    throw error;
  }
  const descriptor = { mediaType: OCI_LAYER_GZIP, digest, size };
  return { descriptor, diffId, release };
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  counter: DigestCounter,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    counter.update(chunk);
    yield chunk;
  }
}

async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gzip = createGzip({ level: LEVEL });
  // A failure of the source destroys gzip with it, so that the loop below throws it.
  const feeding = pipeline(source, gzip).catch(() => undefined);
  try {
    for await (const chunk of gzip) yield chunk as Uint8Array;
  } finally {
    gzip.destroy();
    await feeding;
  }
}
