/** The `label` and `label!` filters that most nouns share. */
import type { Filters } from '../wire/filters.ts';

type Labels = Readonly<Record<string, string>>;

/** True when the labels have all of `label` (`key` or `key=value`) and none of `label!`. */
export function matchesLabels(labels: Labels, filters: Filters): boolean {
  const wanted = filters.get('label') ?? [];
  const unwanted = filters.get('label!') ?? [];
  return (
    wanted.every((text) => hasLabel(labels, text)) &&
    !unwanted.some((text) => hasLabel(labels, text))
  );
}

function hasLabel(labels: Labels, text: string): boolean {
  const at = text.indexOf('=');
  if (at < 0) return Object.hasOwn(labels, text);
  return labels[text.slice(0, at)] === text.slice(at + 1);
}
