/** From the parts in which the monitor writes long lines to the messages that Docker makes of them. */
import * as v from 'valibot';
import type { LogEntry } from '../log-reader.ts';
import type { Message } from './json-line.ts';

/** A message has at most so many bytes; the rest of its line is another one. */
export const MESSAGE_BYTES = 16 << 10;
const NEWLINE = 0x0a;

/** The beginning of a line whose end is not there yet. */
const heldPart = v.object({ time: v.string(), data: v.string() });

/** What a joiner holds back, for a durable record: by stream, the bytes in base64. */
export const heldPartsSchema = v.object({
  stdout: v.optional(heldPart),
  stderr: v.optional(heldPart),
});
export type HeldParts = v.InferOutput<typeof heldPartsSchema>;

/** Puts the parts of lines together, each stream for itself. */
export class PartJoiner {
  readonly #held = new Map<'stdout' | 'stderr', { time: string; data: Buffer }>();

  constructor(held: HeldParts = {}) {
    for (const stream of ['stdout', 'stderr'] as const) {
      const part = held[stream];
      if (part === undefined) continue;
      this.#held.set(stream, { time: part.time, data: Buffer.from(part.data, 'base64') });
    }
  }

  /** The messages that are complete with this entry: none, one, or several. */
  add(entry: LogEntry): readonly Message[] {
    const { stream } = entry;
    const before = this.#held.get(stream);
    const endsLine = entry.data.at(-1) === NEWLINE;
    if (before === undefined && endsLine && entry.data.length <= MESSAGE_BYTES) return [entry];
    const time = before?.time ?? entry.time;
    let data = Buffer.concat([...(before === undefined ? [] : [before.data]), entry.data]);
    const messages: Message[] = [];
    // The newline of a line that fills its message belongs to it.
    while (data.length > MESSAGE_BYTES + (endsLine ? 1 : 0)) {
      messages.push({ time, stream, data: data.subarray(0, MESSAGE_BYTES) });
      data = data.subarray(MESSAGE_BYTES);
    }
    if (endsLine) messages.push({ time, stream, data });
    if (endsLine || data.length === 0) this.#held.delete(stream);
    else this.#held.set(stream, { time, data });
    return messages;
  }

  /** What nothing follows on any more, as messages without a newline. */
  flush(): readonly Message[] {
    const messages = [...this.#held].map(([stream, part]) => ({ stream, ...part }));
    this.#held.clear();
    return messages;
  }

  get held(): HeldParts {
    const parts = [...this.#held].map(([stream, { time, data }]) => [
      stream,
      { time, data: data.toString('base64') },
    ]);
    return Object.fromEntries(parts);
  }
}
