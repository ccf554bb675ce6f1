/** Names and values of filters of the build cache. */
import { type Filters, filterValues } from './filters.ts';
import { parseBoolean, parseDuration, parseUntil } from './query.ts';
import { invalidFilter, invalidFilterValue } from './wire-errors.ts';

/** Every name there is. `until` and `unused-for` mean the same. */
export const CACHE_FILTERS = [
  'id',
  'type',
  'description',
  'parent',
  'parents',
  'inuse',
  'shared',
  'private',
  'until',
  'unused-for',
] as const;

const BOOLEANS = ['inuse', 'shared', 'private'];
const TIMES = ['until', 'unused-for'];

/** Milliseconds without use that `until` or `unused-for` asks for; undefined for a text without meaning. */
export function decodeUnusedFor(text: string, nowMs: number): number | undefined {
  const seconds = parseUntil(text, nowMs);
  return seconds === undefined ? undefined : nowMs - seconds * 1000;
}

/** The filters as a plain map. `invalid-argument` for an unknown name or a value without meaning. */
export function checkCacheFilters(filters: Filters): Record<string, string[]> {
  for (const name of filters.keys()) {
    if (!CACHE_FILTERS.some((known) => known === name)) throw invalidFilter(name);
  }
  const isBad = (name: string, fits: (value: string) => boolean) =>
    !filterValues(filters, name).every((value) => value === '' || fits(value));
  const bad = [
    ...BOOLEANS.filter((name) => isBad(name, (value) => parseBoolean(value) !== undefined)),
    ...TIMES.filter((name) => isBad(name, (value) => decodeUnusedFor(value, 0) !== undefined)),
  ];
  for (const name of bad) throw invalidFilterValue(name, filterValues(filters, name));
  return Object.fromEntries([...filters].map(([name, values]) => [name, [...values]]));
}

/** `48h`, or a number of seconds, in milliseconds; undefined for anything else. */
export function decodeKeepDuration(text: string): number | undefined {
  const seconds = /^\d+$/.test(text) ? Number(text) : parseDuration(text);
  return seconds === undefined || seconds < 0 ? undefined : seconds * 1000;
}

const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i;

/** Bytes of `20GB`, `512m` or `1024`; units are powers of 1024, as in Docker's settings. Undefined for anything else. */
export function decodeSize(text: string): number | undefined {
  const [, number, unit = ''] = SIZE.exec(text.trim()) ?? [];
  if (number === undefined) return undefined;
  return Math.floor(Number(number) * 1024 ** ' kmgtp'.indexOf(unit.toLowerCase() || ' '));
}
