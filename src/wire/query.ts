/** Values of query parameters, read the way dockerd reads them. */
import { invalidNumber, invalidTimestamp } from './wire-errors.ts';

const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

/** `fallback` when the parameter is absent; else false for `""`, `0`, `no`, `false`, `none` and true for the rest. */
export function decodeBoolean(text: string | undefined, fallback = false): boolean {
  if (text === undefined) return fallback;
  return !FALSE_WORDS.has(text.trim().toLowerCase());
}

/** A boolean word of a filter (`true`, `1`, `false`, `0`, …); undefined for anything else. */
export function parseBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case '1':
    case 't':
    case 'true':
      return true;
    case '0':
    case 'f':
    case 'false':
      return false;
    default:
      return undefined;
  }
}

/** An integer; undefined when the parameter is absent or empty. `invalid-argument` when it is not one. */
export function decodeInteger(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(number)) throw invalidNumber(name, text);
  return number;
}

/** `tail` of logs: `all`, an empty text and anything that is not a number of lines mean everything. */
export function decodeTail(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

const UNIX_TIME = /^-?\d+(?:\.\d*)?$/;
const RFC_3339 = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** Seconds since the epoch of a Unix time with fraction or an RFC 3339 time; undefined for anything else. */
export function parseTimestamp(text: string): number | undefined {
  if (UNIX_TIME.test(text)) return Number(text);
  if (!RFC_3339.test(text)) return undefined;
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) ? undefined : epochMs / 1000;
}

/**
 * `since` or `until` in seconds since the epoch. Absent, empty and `0` mean "no bound", as clients send `0`
 * for an unset option. `invalid-argument` when it is not a time.
 */
export function decodeTimestamp(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '' || text === '0') return undefined;
  const seconds = parseTimestamp(text);
  if (seconds === undefined) throw invalidTimestamp(name, text);
  return seconds;
}

const DURATION_PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/y;
const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** Seconds of a Go duration (`1h30m`, `10s`); undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '') return undefined;
  let seconds = 0;
  DURATION_PART.lastIndex = 0;
  let at = 0;
  while (at < body.length) {
    const match = DURATION_PART.exec(body);
    if (match === null) return undefined;
    seconds += Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? 0);
    at = DURATION_PART.lastIndex;
  }
  return sign * seconds;
}

/** The `until` filter of prunes: a time, or a duration counted back from `nowMs`. Seconds since the epoch. */
export function parseUntil(text: string, nowMs: number): number | undefined {
  const ago = parseDuration(text);
  return ago === undefined ? parseTimestamp(text) : nowMs / 1000 - ago;
}
