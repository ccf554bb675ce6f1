/**
 * The `filters` query parameter: JSON in two shapes, `{"label":{"a=b":true}}` and `{"label":["a=b"]}`.
 * Decoded to a map from filter name to its values, in the order given.
 */
import { parseBoolean } from './query.ts';
import { invalidFilter, invalidFilterValue, malformedFilters } from './wire-errors.ts';

export type Filters = ReadonlyMap<string, readonly string[]>;

/** No filter at all. */
export const NO_FILTERS: Filters = new Map();

/** Decodes the parameter; undefined and the empty string mean no filter. `invalid-argument` when malformed. */
export function decodeFilters(text: string | undefined): Filters {
  if (text === undefined || text === '') return NO_FILTERS;
  const raw = parse(text);
  if (raw === null) return NO_FILTERS;
  if (typeof raw !== 'object' || Array.isArray(raw)) throw malformedFilters();
  return new Map(Object.entries(raw).map(([name, values]) => [name, decodeValues(values)]));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformedFilters(error);
  }
}

function decodeValues(raw: unknown): readonly string[] {
  if (raw === null) return [];
  if (Array.isArray(raw)) {
    if (!raw.every((value) => typeof value === 'string')) throw malformedFilters();
    return raw;
  }
  if (typeof raw !== 'object') throw malformedFilters();
  // A value marked false counts as absent: that is how a client takes one out of the map.
  return Object.entries(raw).flatMap(([value, wanted]) => (wanted === false ? [] : [value]));
}

/** `invalid filter 'x'` (400) for the first name that is not among `known`. */
export function assertKnownFilters(filters: Filters, known: readonly string[]): void {
  for (const name of filters.keys()) if (!known.includes(name)) throw invalidFilter(name);
}

/** The values of one filter, empty when it was not given. */
export function filterValues(filters: Filters, name: string): readonly string[] {
  return filters.get(name) ?? [];
}

/**
 * A filter that is true or false (`dangling`, `is-task`), undefined when it was not given.
 * `invalid-argument` when its values are not one clear boolean.
 */
export function booleanFilter(filters: Filters, name: string): boolean | undefined {
  const values = filterValues(filters, name);
  if (values.length === 0) return undefined;
  const truths = new Set(values.map(parseBoolean));
  const [truth] = truths;
  if (truths.size !== 1 || truth === undefined) throw invalidFilterValue(name, values);
  return truth;
}

/**
 * True when `labels` has every `key` or `key=value` of the filter `name` (`label`); with `label!` the caller
 * negates `matchesAnyLabel`.
 */
export function matchesEveryLabel(
  wanted: readonly string[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return wanted.every((label) => hasLabel(label, labels));
}

/** True when `labels` has at least one `key` or `key=value` of `wanted`. */
export function matchesAnyLabel(
  wanted: readonly string[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return wanted.some((label) => hasLabel(label, labels));
}

function hasLabel(label: string, labels: Readonly<Record<string, string>>): boolean {
  const at = label.indexOf('=');
  const key = at < 0 ? label : label.slice(0, at);
  if (!Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === label.slice(at + 1);
}
