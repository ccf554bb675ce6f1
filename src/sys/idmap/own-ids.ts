/** The ids that our own user namespace has. */
import { readFile } from 'node:fs/promises';

/** How many ids from 0 on are mapped without gaps, for users and for groups. */
export async function ownIdCounts(): Promise<{ readonly uids: number; readonly gids: number }> {
  const [uids, gids] = await Promise.all(
    ['uid_map', 'gid_map'].map((name) => readFile(`/proc/self/${name}`, 'utf8')),
  );
  return { uids: countMappedFromZero(uids ?? ''), gids: countMappedFromZero(gids ?? '') };
}

/** How many ids from 0 on have a mapping without gaps, for the text of a `gid_map` (user_namespaces(7)). */
export function countMappedFromZero(map: string): number {
  const ranges = map
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([inside = Number.NaN, , count = 0]) => ({ inside, count }))
    .toSorted((a, b) => a.inside - b.inside);
  let next = 0;
  for (const { inside, count } of ranges) if (inside === next) next += count;
  return next;
}
