/** `docker images`: all images that pass the filters, newest first. */
import { canonicalReference, familiarName, familiarReference } from '../../oci/reference.ts';
import {
  assertKnownFilters,
  booleanFilter,
  type Filters,
  filterValues,
} from '../../wire/filters.ts';
import { matchesLabels } from '../label-filter.ts';
import { untilMs } from '../until-filter.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidFilterValue } from './image-errors.ts';
import type { ImageRecord } from './image-store.ts';
import type { ImageView } from './image-view.ts';
import { resolveImage } from './resolve-image.ts';
import { parseStoredName } from './stored-name.ts';
import { toImageView } from './to-image-view.ts';

const KNOWN_FILTERS = ['before', 'dangling', 'label', 'label!', 'reference', 'since', 'until'];

type Predicate = (record: ImageRecord) => boolean;

/** `invalid-argument` for an unknown filter or a value without meaning, `not-found` for an unknown image in one. */
export function listImages(deps: ImageDeps, filters: Filters): readonly ImageView[] {
  assertKnownFilters(filters, KNOWN_FILTERS);
  const predicates = [
    ...commonPredicates(filters, deps.clock.now()),
    ...timePredicates(deps, filters),
    ...danglingPredicate(filters),
  ];
  const patterns = filterValues(filters, 'reference').map(globToRegExp);
  return deps.store
    .list()
    .filter((record) => predicates.every((accepts) => accepts(record)))
    .flatMap((record) => withMatchingNames(record, patterns))
    .toSorted((one, other) => createdMs(other) - createdMs(one))
    .map((record) => toImageView(deps, record));
}

/** When the image was built, in milliseconds since the epoch; 0 when it does not say. */
export function createdMs(record: ImageRecord): number {
  const time = Date.parse(record.config.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** Conditions that lists and prunes have in common: `label`, `label!` and `until`. */
export function commonPredicates(filters: Filters, nowMs: number): readonly Predicate[] {
  const limitMs = untilMs(filters, nowMs);
  return [
    (record) => matchesLabels(record.config.config?.Labels ?? {}, filters),
    (record) => createdMs(record) < limitMs,
  ];
}

function timePredicates(deps: ImageDeps, filters: Filters): readonly Predicate[] {
  const timeOf = (ref: string) => createdMs(resolveImage(deps.store, ref).record);
  const before = filterValues(filters, 'before').map(timeOf);
  const since = filterValues(filters, 'since').map(timeOf);
  return [
    (record) => before.every((time) => createdMs(record) < time),
    (record) => since.every((time) => createdMs(record) > time),
  ];
}

function danglingPredicate(filters: Filters): readonly Predicate[] {
  const wanted = booleanFilter(filters, 'dangling');
  if (wanted === undefined) return [];
  return [(record) => (record.document.tags.length === 0) === wanted];
}

/** With `reference` filters an image shows only the names that match, and is left out without one. */
function withMatchingNames(record: ImageRecord, patterns: readonly RegExp[]): ImageRecord[] {
  if (patterns.length === 0) return [record];
  const matches = (name: string) => {
    const reference = parseStoredName(name);
    const forms = [
      familiarReference(reference),
      familiarName(reference),
      canonicalReference(reference),
      `${reference.domain}/${reference.path}`,
    ];
    return patterns.some((pattern) => forms.some((form) => pattern.test(form)));
  };
  const tags = record.document.tags.filter(matches);
  const repoDigests = record.document.repoDigests.filter(matches);
  if (tags.length === 0 && repoDigests.length === 0) return [];
  return [{ ...record, document: { ...record.document, tags, repoDigests } }];
}

/** Shell patterns in which `*` and `?` stop at slashes. */
function globToRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(/[\\^$.|+(){}]|\*|\?/g, (found) => {
    if (found === '*') return '[^/]*';
    return found === '?' ? '[^/]' : `\\${found}`;
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (error) {
    throw invalidFilterValue('reference', [pattern], error);
  }
}
