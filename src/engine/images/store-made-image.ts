/** Stores an image that was made here, of layers that are in the store. */
import type { NewIndex } from '../../builder/build-images.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Descriptor, ImageConfig, Manifest } from '../../oci/image-spec.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { ImageReference } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import type { OpenBlob } from './layer-transfers.ts';
import { fromStore, materializeImage, prepareImage, storeDocument } from './materialize-image.ts';
import { storedName } from './stored-name.ts';

/** What the image consists of. */
export interface MadeImage {
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  readonly names: readonly ImageReference[];
  /** What else the names stand for. */
  readonly index?: NewIndex | undefined;
  /** Image that it was made from. */
  readonly parentId?: Digest | undefined;
}

/** The layers must be protected until this resolves. */
export async function storeMadeImage(deps: ImageDeps, image: MadeImage): Promise<ImageRecord> {
  const { index } = image;
  const config = Buffer.from(JSON.stringify(image.config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers:
      index === undefined ? await storedForms(deps, image.layers, digestOf(config)) : image.layers,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const { signal } = new AbortController();
  const incoming = await prepareImage(
    deps,
    {
      manifest,
      manifestBytes: { mediaType: OCI_MANIFEST, bytes },
      indexBytes: index === undefined ? undefined : { mediaType: OCI_INDEX, bytes: index.bytes },
      openBlob: openIn(deps, manifest.config, config),
    },
    signal,
  );
  const others = index === undefined ? [] : [...index.documents.keys(), ...index.layers];
  const releaseOthers = await deps.leases.hold(others);
  try {
    for (const document of index?.documents.values() ?? []) {
      await storeDocument(deps, { bytes: document });
    }
    return await materializeImage(deps, incoming, {
      ...(index === undefined ? {} : { besides: others }),
      names: { tags: image.names.map(storedName), repoDigests: [] },
      parentId: image.parentId,
      observe: () => undefined,
      signal,
    });
  } finally {
    incoming.release();
    releaseOthers();
  }
}

/**
 * An image that is here already, with the same config and so the same layers, keeps the forms in which it has them: a
 * push may have compressed them.
 */
async function storedForms(
  deps: ImageDeps,
  layers: readonly Descriptor[],
  id: Digest,
): Promise<readonly Descriptor[]> {
  const known = deps.store.get(id)?.manifest.layers;
  if (known === undefined || known.length !== layers.length) return layers;
  const sizes = await Promise.all(known.map(({ digest }) => deps.content.stat(digest)));
  return sizes.includes(undefined) ? layers : known;
}

/** The config comes from memory, everything else from the store. */
function openIn(deps: ImageDeps, config: Descriptor, bytes: Uint8Array): OpenBlob {
  const stored = fromStore(deps);
  return (blob, signal) => (blob.digest === config.digest ? one(bytes) : stored(blob, signal));
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
