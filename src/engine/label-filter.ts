/** The `label` and `label!` filters that most nouns share. */
import { type Filters, filterValues, matchesAnyLabel, matchesEveryLabel } from '../wire/filters.ts';

/** True when the labels have all of `label` (`key` or `key=value`) and none of `label!`. */
export function matchesLabels(labels: Readonly<Record<string, string>>, filters: Filters): boolean {
  return (
    matchesEveryLabel(filterValues(filters, 'label'), labels) &&
    !matchesAnyLabel(filterValues(filters, 'label!'), labels)
  );
}
