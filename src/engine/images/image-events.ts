/** Events of images, with the attributes that dockerd gives them. */
import type { ImageDeps } from './image-deps.ts';
import type { ImageRecord } from './image-store.ts';

/** Announces a prune, which is about no single image. */
export function publishPrune(deps: Pick<ImageDeps, 'events'>, reclaimedBytes: number): void {
  deps.events.publish({
    type: 'image',
    action: 'prune',
    actorId: '',
    attributes: { reclaimed: String(reclaimedBytes) },
  });
}

/** Announces what happened to an image. `actorId` is a name for pulls and the image's id for the rest. */
export function publishImageEvent(
  deps: Pick<ImageDeps, 'events'>,
  action: 'create' | 'pull' | 'push' | 'load' | 'tag' | 'untag' | 'delete' | 'save' | 'import',
  about: { readonly record: ImageRecord; readonly actorId: string; readonly name: string },
): void {
  const labels = about.record.config.config?.Labels ?? {};
  deps.events.publish({
    type: 'image',
    action,
    actorId: about.actorId,
    attributes: { ...labels, name: about.name },
  });
}
