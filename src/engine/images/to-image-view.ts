/** From stored images to what the API shows. */
import { familiarReference } from '../../oci/reference.ts';
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';
import type { ImageView } from './image-view.ts';
import { parseStoredName } from './stored-name.ts';

/** The image with what others know of it. */
export function toImageView(
  deps: Pick<ImageDeps, 'store' | 'usedBy'>,
  record: ImageRecord,
): ImageView {
  const { document, config, chainIds, sizeBytes } = record;
  const { parentId } = document;
  return {
    id: document.id,
    parentId: parentId !== undefined && deps.store.get(parentId) ? parentId : undefined,
    config,
    manifest: document.manifest,
    descriptor: record.top,
    repoTags: document.tags.map(toFamiliar),
    repoDigests: document.repoDigests.map(toFamiliar),
    sizeBytes,
    containerCount: deps.usedBy(document.id).length,
    lastTaggedAt: document.lastTaggedAt,
    layerChainIds: chainIds,
  };
}

/** A stored name as Docker shows it. */
export function toFamiliar(name: string): string {
  return familiarReference(parseStoredName(name));
}
