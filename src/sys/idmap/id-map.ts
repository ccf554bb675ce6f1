/** Maps between the ids inside a user namespace and those outside (user_namespaces(7)). */
import { readFile } from 'node:fs/promises';
import { type IdRange, intersectRanges, subtractRanges } from './id-ranges.ts';

/** `count` ids from `inside` on are `outside` and the following outside. */
export interface IdMapEntry {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** What a map is made of. */
export interface IdMapPlan {
  /** Becomes id 0 inside. */
  readonly callerId: number;
  /** Become 1, 2, … inside. */
  readonly subordinate: readonly IdRange[];
  /** Ids that exist in the present user namespace: when nested, the parent's map has few. */
  readonly available: readonly IdRange[];
}

/** `write(2)` of a map takes at most so many lines since Linux 4.15. */
const MOST_ENTRIES = 340;

/**
 * Root inside is the caller, ids from 1 on are the subordinate ones that exist here. With no subordinate ids the
 * map has one line, which the caller may write without help.
 */
export function planIdMap(plan: IdMapPlan): readonly IdMapEntry[] {
  const caller = { start: plan.callerId, count: 1 };
  const usable = subtractRanges(intersectRanges(plan.subordinate, plan.available), [caller]);
  const entries: IdMapEntry[] = [{ inside: 0, outside: plan.callerId, count: 1 }];
  let inside = 1;
  for (const range of usable.slice(0, MOST_ENTRIES - 1)) {
    entries.push({ inside, outside: range.start, count: range.count });
    inside += range.count;
  }
  return entries;
}

/** The lines for `/proc/PID/uid_map` or `gid_map`. */
export function formatIdMap(entries: readonly IdMapEntry[]): string {
  return entries.map((entry) => `${toArguments(entry).join(' ')}\n`).join('');
}

/** The arguments of newuidmap(1) and newgidmap(1) after the pid. */
export function idMapArguments(entries: readonly IdMapEntry[]): readonly string[] {
  return entries.flatMap(toArguments);
}

/** Parses `/proc/PID/uid_map` or `gid_map`. */
export function parseIdMap(text: string): readonly IdMapEntry[] {
  return text.split('\n').flatMap((line) => {
    const [inside, outside, count] = line.trim().split(/\s+/).map(Number);
    if (inside === undefined || outside === undefined || count === undefined) return [];
    return [{ inside, outside, count }];
  });
}

/** Ids that exist in the user namespace of this process. */
export async function availableIds(kind: 'uid' | 'gid'): Promise<readonly IdRange[]> {
  const entries = parseIdMap(await readFile(`/proc/self/${kind}_map`, 'latin1'));
  return entries.map(({ inside, count }) => ({ start: inside, count }));
}

/** How many ids a map covers: 1 means that a container has root and nobody else. */
export function mappedIdCount(entries: readonly IdMapEntry[]): number {
  return entries.reduce((sum, { count }) => sum + count, 0);
}

function toArguments({ inside, outside, count }: IdMapEntry): readonly string[] {
  return [String(inside), String(outside), String(count)];
}
