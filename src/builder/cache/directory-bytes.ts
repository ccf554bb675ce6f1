/** How large a directory is. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../sys/system-errors.ts';

/** Bytes of all files below; what vanishes meanwhile counts for nothing. */
export async function directoryBytes(dir: string): Promise<number> {
  let total = 0;
  for (const entry of await ifThere(readdir(dir, { withFileTypes: true }), [])) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) total += await directoryBytes(path);
    else total += (await ifThere<Stats | undefined>(lstat(path), undefined))?.size ?? 0;
  }
  return total;
}

/** What `read` resolves to; `otherwise` when there is no such file. */
export async function ifThere<T>(read: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}
