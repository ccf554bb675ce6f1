/** Container events with the attributes that Docker gives them. */
import type { EventBus } from '../events/event-bus.ts';
import type { ContainerDocument } from './container-document.ts';

/** Publishes one container event: labels, image and name are always among its attributes. */
export function publishContainerEvent(
  deps: { readonly events: EventBus },
  container: ContainerDocument,
  event: { readonly action: string; readonly attributes?: Readonly<Record<string, string>> },
): void {
  deps.events.publish({
    type: 'container',
    action: event.action,
    actorId: container.id,
    attributes: {
      ...container.config.Labels,
      image: container.imageRef,
      name: container.name,
      ...event.attributes,
    },
  });
}
