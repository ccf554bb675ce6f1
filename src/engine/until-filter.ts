/** The `until` filter of lists and prunes: a moment, or how long ago. */
import { type Filters, filterValues } from '../wire/filters.ts';
import { parseUntil } from '../wire/query.ts';
import { invalidFilterValue } from '../wire/wire-errors.ts';

/**
 * The moment in milliseconds since the epoch that everything must be older than; infinity without the filter.
 * `invalid-argument` for a value that is no time.
 */
export function untilMs(filters: Filters, nowMs: number): number {
  const values = filterValues(filters, 'until');
  const moments = values.map((value) => {
    const seconds = parseUntil(value, nowMs);
    if (seconds === undefined) throw invalidFilterValue('until', values);
    return seconds * 1000;
  });
  return Math.min(Number.POSITIVE_INFINITY, ...moments);
}
