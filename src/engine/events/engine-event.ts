/** Events as the engine publishes them; the wire form is made in `api/mappers`. */

export type EventType = 'container' | 'image' | 'volume' | 'network' | 'daemon';

export interface EngineEvent {
  readonly type: EventType;
  /** Docker's action word, e.g. `create`, `start`, `die`, `exec_create: sh`. */
  readonly action: string;
  /** Id of the object. */
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch. */
  readonly timeNano: bigint;
}
