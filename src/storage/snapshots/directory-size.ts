/** How many bytes the files of a directory tree have. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';

/** Sum of the sizes of regular files, hard links counted once. What vanishes meanwhile counts nothing. */
export async function directorySize(dir: string): Promise<number> {
  const seen = new Set<number>();
  let total = 0;
  const pending = [dir];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const current = next;
    for (const entry of await list(current)) {
      const path = join(current, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else if (entry.isFile()) total += sizeOnce(await statIfThere(path), seen);
    }
  }
  return total;
}

function sizeOnce(stats: Stats | undefined, seen: Set<number>): number {
  if (stats === undefined || seen.has(stats.ino)) return 0;
  if (stats.nlink > 1) seen.add(stats.ino);
  return stats.size;
}

async function list(dir: string) {
  try {
    return await readdir(dir, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
