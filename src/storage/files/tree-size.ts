/** How much a directory tree holds. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';

/** Bytes of all files below `dir`, hard links counted once. Entries that vanish meanwhile count nothing. */
export async function treeSize(dir: string): Promise<number> {
  const linked = new Set<string>();
  let total = 0;
  const pending = [dir];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    for (const name of await namesIn(at)) {
      const path = join(at, name);
      const facts = await lstat(path).catch(() => undefined);
      if (facts === undefined) continue;
      if (facts.isDirectory()) pending.push(path);
      else if (isFirstSight(facts, linked)) total += facts.size;
    }
  }
  return total;
}

async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

function isFirstSight(facts: Stats, linked: Set<string>): boolean {
  if (facts.nlink < 2) return true;
  const key = `${facts.dev}:${facts.ino}`;
  if (linked.has(key)) return false;
  linked.add(key);
  return true;
}
