/**
 * The log format of the monitor, one record a line: `TIME STREAM TAG CONTENT`. TAG is `F` when the content's newline
 * is the process's own, `P` when the monitor added it to a part of a line. Content is any bytes but newlines.
 */
import type { LogEntry } from '../log-reader.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const LETTER_F = 0x46;
const LETTER_O = 0x6f;
/** Times of a monitor that runs in UTC, e.g. `2026-11-24T07:27:34.401705300+00:00`. */
const USUAL_TIME_BYTES = 35;
const UTC_OFFSET = '+00:00';
/** ` stdout F ` */
const FIELDS_BYTES = 10;

/** A record that refers into the bytes it was read from; its time is decoded only when somebody asks. */
export class K8sLogEntry implements LogEntry {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
  /** Whether the line of the process ended here. */
  readonly endsLine: boolean;
  /** Where the record ends in the bytes that were parsed. */
  readonly end: number;
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #timeEnd: number;

  constructor(bytes: Buffer, place: RecordPlace) {
    this.#bytes = bytes;
    this.#start = place.start;
    this.#timeEnd = place.timeEnd;
    this.end = place.newline + 1;
    this.stream = bytes[place.timeEnd + 4] === LETTER_O ? 'stdout' : 'stderr';
    this.endsLine = bytes[place.timeEnd + 8] === LETTER_F;
    const contentStart = place.timeEnd + FIELDS_BYTES;
    this.data = bytes.subarray(contentStart, this.endsLine ? place.newline + 1 : place.newline);
  }

  get time(): string {
    const text = this.#bytes.toString('latin1', this.#start, this.#timeEnd);
    return text.endsWith(UTC_OFFSET) ? `${text.slice(0, -UTC_OFFSET.length)}Z` : text;
  }
}

interface RecordPlace {
  readonly start: number;
  /** Where the space after the time is. */
  readonly timeEnd: number;
  /** Where the newline that closes the record is. */
  readonly newline: number;
}

/** What was understood of a piece of a log. */
export interface ParsedRecords {
  readonly entries: readonly K8sLogEntry[];
  /** Bytes used up; what follows is the beginning of a record. */
  readonly consumed: number;
}

/** All complete records of `bytes`, which begin at a record. Lines that are no records (a torn write) are left out. */
export function parseRecords(bytes: Buffer): ParsedRecords {
  const entries: K8sLogEntry[] = [];
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(NEWLINE, start);
    if (newline < 0) return { entries, consumed: start };
    const entry = parseRecord(bytes, start, newline);
    if (entry !== undefined) entries.push(entry);
    start = newline + 1;
  }
}

/** The record between `start` and its newline; undefined when it is none. */
export function parseRecord(
  bytes: Buffer,
  start: number,
  newline: number,
): K8sLogEntry | undefined {
  const usual = start + USUAL_TIME_BYTES;
  const timeEnd = bytes[usual] === SPACE ? usual : bytes.indexOf(SPACE, start);
  if (timeEnd < 0 || timeEnd + FIELDS_BYTES > newline) return undefined;
  const tagged = bytes[timeEnd + 7] === SPACE && bytes[timeEnd + 9] === SPACE;
  return tagged ? new K8sLogEntry(bytes, { start, timeEnd, newline }) : undefined;
}

/** Epoch seconds, with fraction, of an RFC 3339 time with nanoseconds; NaN when it is none. */
export function epochSecondsOf(time: string): number {
  const match = /^(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(time);
  if (match === null) return Number.NaN;
  const [, seconds = '', fraction = '.0', offset = 'Z'] = match;
  return Date.parse(`${seconds}${offset}`) / 1000 + Number(fraction);
}
