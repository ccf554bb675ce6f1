/** Events on the wire, with the old fields (`status`, `id`, `from`) that 1.51 still carries. */
import type { EngineEvent } from '../../engine/events/engine-event.ts';

const encoder = new TextEncoder();

/** One line of `GET /events`. */
export function encodeEvent(event: EngineEvent): Uint8Array {
  const head = {
    ...legacyFields(event),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: 'local',
    time: Number(event.timeNano / 1_000_000_000n),
  };
  // Nanoseconds do not fit a JavaScript number: their digits are written by hand.
  const text = `${JSON.stringify(head).slice(0, -1)},"timeNano":${event.timeNano}}\n`;
  return encoder.encode(text);
}

function legacyFields(event: EngineEvent): object {
  switch (event.type) {
    case 'container':
      return { status: event.action, id: event.actorId, from: event.attributes['image'] ?? '' };
    case 'image':
      return { status: event.action, id: event.actorId };
    default:
      return {};
  }
}
