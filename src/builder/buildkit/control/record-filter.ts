/** Filters of cache entries, in containerd's syntax: `id==x`, `type~=source.*`, `inuse`, joined by commas. */
import type { CacheEntry } from '../../../storage/cache-source.ts';
import { badOption } from '../frontend/frontend-errors.ts';

type Test = (record: CacheEntry) => boolean;

/** True for records that one of the filters takes; for all when there is none. */
export function recordFilter(filters: readonly string[]): Test {
  const tests = filters.map((filter) => {
    // What buildx sends when its user asks for nothing.
    if (filter === '') return () => true;
    const parts = filter.split(',').map(toTest);
    return (record: CacheEntry) => parts.every((test) => test(record));
  });
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

const TERM = /^([a-z]+)(?:(==|!=|~=)("?)(.*)\3)?$/;

function toTest(term: string): Test {
  const match = TERM.exec(term.trim());
  if (match === null) throw badOption('filter', term);
  const [, field = '', operator = '', , value = ''] = match;
  const read = (record: CacheEntry) => fieldOf(record, field);
  switch (operator) {
    case '==':
      return (record) => read(record) === value;
    case '!=':
      return (record) => read(record) !== value;
    case '~=': {
      const pattern = toPattern(value);
      return (record) => pattern.test(read(record));
    }
    default:
      return (record) => !['', 'false'].includes(read(record));
  }
}

function toPattern(value: string): RegExp {
  try {
    return new RegExp(value);
  } catch (error) {
    throw badOption('filter', value, error);
  }
}

/** A field as text; booleans are `true` or `false`. */
function fieldOf(record: CacheEntry, field: string): string {
  switch (field) {
    case 'id':
      return record.id;
    case 'type':
      return record.type;
    case 'description':
      return record.description;
    case 'parents':
      return record.parents.join(';');
    case 'inuse':
      return String(record.inUse);
    case 'shared':
      return String(record.shared);
    case 'mutable':
      return String(record.type !== 'regular');
    case 'immutable':
      return String(record.type === 'regular');
    case 'private':
      return String(!record.shared);
    default:
      throw badOption('filter', field);
  }
}
