/** Filters of cache records, in containerd's syntax: `id==x`, `type~=source.*`, `inuse`, joined by commas. */
import type { CacheRecord } from '../../build-cache.ts';
import { badOption } from '../frontend/frontend-errors.ts';

type Test = (record: CacheRecord) => boolean;

/** True for records that one of the filters takes; for all when there is none. */
export function recordFilter(filters: readonly string[]): Test {
  const tests = filters.map((filter) => {
    // What buildx sends when its user asks for nothing.
    if (filter === '') return () => true;
    const parts = filter.split(',').map(toTest);
    return (record: CacheRecord) => parts.every((test) => test(record));
  });
  return (record) => tests.length === 0 || tests.some((test) => test(record));
}

const TERM = /^([a-z]+)(?:(==|!=|~=)("?)(.*)\3)?$/;

function toTest(term: string): Test {
  const match = TERM.exec(term.trim());
  if (match === null) throw badOption('filter', term);
  const [, field = '', operator = '', , value = ''] = match;
  const read = (record: CacheRecord) => fieldOf(record, field);
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
function fieldOf(record: CacheRecord, field: string): string {
  switch (field) {
    case 'id':
      return record.id;
    case 'type':
      return record.kind;
    case 'description':
      return record.description;
    case 'parents':
      return record.parents.join(';');
    case 'inuse':
      return String(record.inUse);
    case 'shared':
      return String(record.shared);
    case 'mutable':
      return String(record.kind !== 'regular');
    case 'immutable':
      return String(record.kind === 'regular');
    case 'private':
      return String(!record.shared);
    default:
      throw badOption('filter', field);
  }
}
