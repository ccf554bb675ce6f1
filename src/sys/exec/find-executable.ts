/** Looking up programs along a search path. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Absolute path of the first executable file `name` in the directories of `searchPath` (a `PATH`), if there is one. */
export async function findExecutable(
  name: string,
  searchPath: string,
): Promise<string | undefined> {
  return findExecutableSync(name, searchPath);
}

/** `findExecutable` at once: a handful of `stat` calls, which is cheaper than the thread pool. */
export function findExecutableSync(name: string, searchPath: string): string | undefined {
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  return searchPath
    .split(delimiter)
    .filter(isAbsolute)
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
