/** Brings an image into the store: config, layers, manifest, and at last the document that makes it visible. */
import { chainIds } from '../../oci/chain-id.ts';
import { decodeImageConfig, decodeJson } from '../../oci/decode-image.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Descriptor, ImageConfig, Manifest } from '../../oci/image-spec.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { ImageDeps } from './image-deps.ts';
import { layerCountMismatch, malformedDocument, wrongOperatingSystem } from './image-errors.ts';
import { type ImageRecord, MAX_DOCUMENT_BYTES } from './image-store.ts';
import type { LayerObserver, LayerSpec, OpenBlob, ResumeBlob } from './layer-transfers.ts';
import type { ReleaseLease } from './leases.ts';

/** A document of the image as it came. */
export interface DocumentBytes {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An image that is about to be brought in: its config is known, its layers may still be elsewhere. */
export interface IncomingImage {
  readonly manifest: Manifest;
  readonly manifestBytes: DocumentBytes;
  /** Index that the manifest was chosen from. */
  readonly indexBytes: DocumentBytes | undefined;
  readonly config: ImageConfig;
  readonly layers: readonly LayerSpec[];
  readonly openBlob: OpenBlob;
  readonly resumeBlob?: ResumeBlob | undefined;
  /** Ends the protection of everything the image consists of. */
  readonly release: ReleaseLease;
}

/** How the image is to be called. */
export interface ImageNames {
  readonly tags: readonly string[];
  readonly repoDigests: readonly string[];
}

/** What an image is made from. */
export interface ImageSource {
  readonly manifest: Manifest;
  readonly manifestBytes: DocumentBytes;
  readonly indexBytes: DocumentBytes | undefined;
  readonly openBlob: OpenBlob;
  readonly resumeBlob?: ResumeBlob | undefined;
}

/**
 * Fetches and checks the config. From now on nothing of the image is swept away, until `release` of the result
 * is called; on failure nothing remains.
 */
export async function prepareImage(
  deps: ImageDeps,
  source: ImageSource,
  signal: AbortSignal,
): Promise<IncomingImage> {
  const { manifest, manifestBytes, indexBytes } = source;
  const documents = [manifestBytes, ...(indexBytes === undefined ? [] : [indexBytes])];
  const blobs = [manifest.config, ...manifest.layers].map(({ digest }) => digest);
  const digests = [...documents.map(({ bytes }) => digestOf(bytes)), ...blobs];
  const releaseBlobs = await deps.leases.hold(digests);
  try {
    const config = await readConfig(deps, source, signal);
    const layers = stackLayers(manifest, config);
    const releaseLayers = await deps.leases.hold(layers.map(({ chainId }) => chainId));
    const release = () => {
      releaseBlobs();
      releaseLayers();
    };
    return { ...source, config, layers, release };
  } catch (error) {
    await abandonImage(deps, releaseBlobs);
    throw error;
  }
}

/**
 * Ends the protection of an image that did not come to be, and removes what was brought in of it; of `kept` it puts
 * aside the bytes, for the next download. Never throws.
 */
export async function abandonImage(
  deps: ImageDeps,
  release: ReleaseLease,
  kept: readonly Digest[] = [],
): Promise<void> {
  release();
  try {
    await collectGarbage(deps, { setAside: kept });
  } catch (error) {
    deps.logger.warn('the rest of an abandoned image could not be removed', { error });
  }
}

/** Fetches what is missing and stores the image under its names. Does not release it. */
export async function materializeImage(
  deps: ImageDeps,
  image: IncomingImage,
  options: {
    readonly names: ImageNames;
    /** Image that it was made from. */
    readonly parentId?: Digest | undefined;
    /** Blobs of the index's other manifests; they are in the store. */
    readonly besides?: readonly Digest[];
    readonly observe: LayerObserver;
    readonly signal: AbortSignal;
  },
): Promise<ImageRecord> {
  const { parentId, besides, observe, signal } = options;
  const { openBlob, resumeBlob } = image;
  await deps.transfers.ensure(image.layers, { openBlob, resumeBlob, observe, signal });
  deps.failpoints.hit('image-pull:after-layers');
  await storeDocument(deps, image.manifestBytes);
  if (image.indexBytes !== undefined) await storeDocument(deps, image.indexBytes);
  deps.failpoints.hit('image-pull:after-manifest');
  const { mediaType, bytes } = image.manifestBytes;
  return await deps.store.put({
    v: 1,
    id: image.manifest.config.digest,
    manifest: { mediaType, digest: digestOf(bytes), size: bytes.length },
    ...(image.indexBytes === undefined ? {} : { indexDigest: digestOf(image.indexBytes.bytes) }),
    ...(besides === undefined ? {} : { besides }),
    ...(parentId === undefined ? {} : { parentId }),
    ...options.names,
    lastTaggedAt: deps.clock.nowIso(),
  });
}

async function readConfig(
  deps: ImageDeps,
  source: ImageSource,
  signal: AbortSignal,
): Promise<ImageConfig> {
  const { digest, size } = source.manifest.config;
  if (size > MAX_DOCUMENT_BYTES)
    throw malformedDocument('image config', `${size} bytes is too long`);
  if ((await deps.content.stat(digest)) === undefined) {
    const bytes = source.openBlob(source.manifest.config, signal);
    await deps.content.ingest({ digest, sizeBytes: size }, bytes);
  }
  const decoded = decodeJson(
    await deps.content.read(digest, MAX_DOCUMENT_BYTES),
    decodeImageConfig,
  );
  if (!decoded.ok) throw malformedDocument('image config', decoded.problem);
  if (decoded.value.os !== 'linux') throw wrongOperatingSystem(decoded.value.os);
  return decoded.value;
}

function stackLayers(manifest: Manifest, config: ImageConfig): readonly LayerSpec[] {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw layerCountMismatch(manifest.layers.length, diffIds.length);
  }
  const chain = chainIds(diffIds);
  return manifest.layers.map((descriptor, index) => ({
    descriptor,
    diffId: at(diffIds, index),
    chainId: at(chain, index),
    parent: chain[index - 1],
  }));
}

/** The lists have the same length: checked above. */
function at(digests: readonly Digest[], index: number): Digest {
  const digest = digests[index];
  if (digest === undefined) throw layerCountMismatch(index, digests.length);
  return digest;
}

/** Stores a document that must be protected. */
export async function storeDocument(
  deps: ImageDeps,
  document: Pick<DocumentBytes, 'bytes'>,
): Promise<void> {
  const { bytes } = document;
  const expected = { digest: digestOf(bytes), sizeBytes: bytes.length };
  await deps.content.ingest(expected, one(bytes));
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Where the blobs of an image come from when all of them should be in the store. */
export function fromStore(deps: Pick<ImageDeps, 'content'>): OpenBlob {
  return (blob: Descriptor) => openStored(deps, blob);
}

async function* openStored(
  deps: Pick<ImageDeps, 'content'>,
  blob: Descriptor,
): AsyncGenerator<Uint8Array> {
  yield* await deps.content.open(blob.digest);
}
