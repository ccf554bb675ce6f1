/** Unpacks anew what got lost of images whose blobs are all there, e.g. in a power cut. */
import { messageOf } from '../../shared/errors.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import { fromStore, prepareImage } from './materialize-image.ts';

/** Repairs every image with a missing layer; logs those that cannot be repaired without their registry. */
export async function repairImages(deps: ImageDeps, signal: AbortSignal): Promise<void> {
  for (const record of deps.store.list()) {
    if (await isWhole(deps, record)) continue;
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
    await deps.store.put(document);
  } finally {
    image.release();
  }
}
