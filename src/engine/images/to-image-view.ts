/** From stored images to what the API shows. */
import { familiarReference } from '../../oci/reference.ts';
import type { ImageRecord } from './image-store.ts';
import type { ImageView } from './image-view.ts';
import { parseStoredName } from './resolve-image.ts';

/** `containerCount`: how many containers were made from the image. */
export function toImageView(record: ImageRecord, containerCount: number): ImageView {
  const { document, config, chainIds, sizeBytes } = record;
  return {
    id: document.id,
    config,
    manifestDigest: document.manifest.digest,
    manifestMediaType: document.manifest.mediaType,
    manifestSizeBytes: document.manifest.size,
    repoTags: document.tags.map(toFamiliar),
    repoDigests: document.repoDigests.map(toFamiliar),
    sizeBytes,
    containerCount,
    lastTaggedAt: document.lastTaggedAt,
    layerChainIds: chainIds,
  };
}

/** A stored name as Docker shows it. */
export function toFamiliar(name: string): string {
  return familiarReference(parseStoredName(name));
}
