/** Unpacks anew what got lost of images whose blobs are all there, e.g. in a power cut. */
import { messageOf } from '../../shared/errors.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import { fromStore, prepareImage } from './materialize-image.ts';

/** Repairs every image with a missing layer; logs those that cannot be repaired without their registry. */
export async function repairImages(deps: ImageDeps, signal: AbortSignal): Promise<void> {
  for (const record of deps.store.list()) {
    // What shared stores have is unpacked when it is used.
    if (record.shared !== undefined || (await isWhole(deps, record))) continue;
    const { id, tags } = record.document;
    deps.logger.info('unpacking an image again of which layers are missing', { id, tags });
    try {
      await unpackAgain(deps, record, signal);
    } catch (error) {
      deps.logger.warn('an image is damaged: pull it again', {
        id,
        tags,
        reason: messageOf(error),
      });
    }
  }
}

/** Unpacks what is missing of an image of a shared store, for whoever is about to use it. */
export async function unpackShared(deps: ImageDeps, record: ImageRecord): Promise<void> {
  if (record.shared === undefined || (await isWhole(deps, record))) return;
  await unpackLayers(deps, record, new AbortController().signal);
  await deps.store.unpackedShared(record.document.id);
}

async function isWhole(deps: ImageDeps, record: ImageRecord): Promise<boolean> {
  for (const chainId of record.chainIds) {
    if (!(await deps.snapshots.hasCommitted(chainId))) return false;
  }
  return true;
}

/** Unpacks the layers of an image that are missing, from its blobs. */
export async function unpackAgain(
  deps: ImageDeps,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<void> {
  await unpackLayers(deps, record, signal);
  await deps.store.put(record.document);
}

async function unpackLayers(
  deps: ImageDeps,
  record: ImageRecord,
  signal: AbortSignal,
): Promise<void> {
  const { document, manifest } = record;
  const bytes = await deps.content.read(document.manifest.digest, document.manifest.size);
  const { mediaType } = document.manifest;
  const image = await prepareImage(
    deps,
    {
      manifest,
      manifestBytes: { mediaType, bytes },
      indexBytes: undefined,
      openBlob: fromStore(deps),
    },
    signal,
  );
  try {
    await deps.transfers.ensure(image.layers, {
      openBlob: image.openBlob,
      observe: () => undefined,
      signal,
    });
  } finally {
    image.release();
  }
}
