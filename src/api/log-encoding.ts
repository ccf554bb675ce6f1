/** Batches of log entries as one chunk of bytes: framed or raw, with times where asked for. */
import type { LogEntry } from '../runtime/log-reader.ts';
import { FRAME_HEADER_BYTES, writeFrameHeader } from '../wire/stdcopy.ts';

export interface LogEncoding {
  /** Frames tell stdout from stderr; terminals have one raw stream. */
  readonly framed: boolean;
  readonly timestamps: boolean;
  /** Docker's `details`: what the log's options choose of labels and variables, and a space, before each line. */
  readonly details?: string;
}

const NEWLINE = 10;

/** Encodes the batches of one log. Remembers where lines begin, as long lines come in several entries. */
export class LogEncoder {
  readonly #encoding: LogEncoding;
  readonly #lineStart = { stdout: true, stderr: true };

  constructor(encoding: LogEncoding) {
    this.#encoding = encoding;
  }

  /** One buffer with every entry of the batch, in order. */
  encode(batch: readonly LogEntry[]): Uint8Array {
    const { framed, timestamps, details } = this.#encoding;
    const prefixes =
      timestamps || details !== undefined ? batch.map((entry) => this.#prefix(entry)) : undefined;
    const headerBytes = framed ? FRAME_HEADER_BYTES : 0;
    let size = batch.length * headerBytes;
    for (const entry of batch) size += entry.data.length;
    for (const prefix of prefixes ?? []) size += prefix.length;

    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    for (const [index, { stream, data }] of batch.entries()) {
      const prefix = prefixes?.[index] ?? '';
      if (framed) {
        writeFrameHeader(bytes, at, { stream, lengthBytes: prefix.length + data.length });
        at += headerBytes;
      }
      if (prefix !== '') bytes.write(prefix, at, 'latin1');
      bytes.set(data, at + prefix.length);
      at += prefix.length + data.length;
    }
    return bytes;
  }

  /** What stands before an entry: plain ASCII, so that characters are bytes. */
  #prefix(entry: LogEntry): string {
    const begins = this.#lineStart[entry.stream];
    this.#lineStart[entry.stream] = entry.data.at(-1) === NEWLINE;
    if (!begins) return '';
    const time = this.#encoding.timestamps ? `${toDockerTime(entry.time)} ` : '';
    const { details } = this.#encoding;
    return details === undefined ? time : `${time}${details} `;
  }
}

/** Length of `2024-05-06T07:08:09.123456789`. */
const FULL_TIME_CHARACTERS = 29;

const ZONED = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** RFC 3339 in UTC with exactly nine digits of fraction, as Docker prefixes lines. */
export function toDockerTime(time: string): string {
  // The monitor's own form, many times a second.
  if (time.length === FULL_TIME_CHARACTERS + 6 && time.endsWith('+00:00')) {
    return `${time.slice(0, FULL_TIME_CHARACTERS)}Z`;
  }
  const match = ZONED.exec(time);
  if (match === null) return time;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const nanos = `${fraction.slice(1)}000000000`.slice(0, 9);
  const utc =
    zone === 'Z' || zone === '+00:00'
      ? seconds
      : new Date(`${seconds}${zone}`).toISOString().slice(0, 19);
  return `${utc}.${nanos}Z`;
}
