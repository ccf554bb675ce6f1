/** Names in a directory that may not exist. */
import { readdir } from 'node:fs/promises';
import { isMissing } from '../system-errors.ts';

/** The names in `dir`, none when it is missing. */
export async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
