/** `docker search`. */
import type { ImageSearch } from '../../api/image-backend.ts';
import type { SearchResult } from '../../distribution/image-registry.ts';
import { DEFAULT_DOMAIN } from '../../oci/reference.ts';
import { assertKnownFilters, booleanFilter, filterValues } from '../../wire/filters.ts';
import type { ImageDeps } from './image-deps.ts';
import { invalidFilterValue, invalidSearchLimit } from './image-errors.ts';

const KNOWN_FILTERS = ['is-automated', 'is-official', 'stars'];
const DEFAULT_LIMIT = 25;
const MAX_LIMIT = 100;

/** Asks the index that the term names (`host/term`), Docker's own by default. */
export async function searchImages(
  deps: Pick<ImageDeps, 'registry'>,
  search: ImageSearch,
  signal: AbortSignal,
): Promise<readonly SearchResult[]> {
  const { filters, term } = search;
  assertKnownFilters(filters, KNOWN_FILTERS);
  const limit = search.limit === 0 ? DEFAULT_LIMIT : search.limit;
  if (limit < 1 || limit > MAX_LIMIT) throw invalidSearchLimit(limit, MAX_LIMIT);
  const isOfficial = booleanFilter(filters, 'is-official');
  const isAutomated = booleanFilter(filters, 'is-automated');
  const stars = Math.max(0, ...filterValues(filters, 'stars').map(toStars));
  const found = await deps.registry.search({ ...splitTerm(term), limit }, signal);
  return found.filter(
    (result) =>
      result.starCount >= stars &&
      (isOfficial === undefined || result.isOfficial === isOfficial) &&
      (isAutomated === undefined || result.isAutomated === isAutomated),
  );
}

function toStars(value: string): number {
  if (!/^\d+$/.test(value)) throw invalidFilterValue('stars', [value]);
  return Number(value);
}

/** A first part with a dot or a port, or `localhost`, is the host of a registry, as in references. */
function splitTerm(term: string): { readonly domain: string; readonly term: string } {
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first);
  if (!isHost) return { domain: DEFAULT_DOMAIN, term: term.replace(/^library\//, '') };
  return { domain: first, term: term.slice(slash + 1) };
}
