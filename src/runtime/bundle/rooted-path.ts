/** Paths inside a root file system whose symbolic links must not lead out of it. */
import { lstat, mkdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import { tooManyLinks, workingDirNotDirectory } from '../runtime-errors.ts';

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The real path of `path` as a process with root `rootDir` would see it. Links are followed within the root, `..`
 * stops at it; the part that does not exist is taken as it is. `invalid-argument` when links go round.
 */
export async function resolveInRoot(rootDir: string, path: string): Promise<string> {
  let pending = path.split('/');
  let resolved: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
    if (name === '' || name === '.') continue;
    if (name === '..') {
      resolved = resolved.slice(0, -1);
      continue;
    }
    const target = await linkTarget(join(rootDir, ...resolved, name));
    if (target === undefined) {
      resolved.push(name);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw tooManyLinks(path);
    if (target.startsWith('/')) resolved = [];
    pending = [...target.split('/'), ...pending];
  }
  return join(rootDir, ...resolved);
}

/** A file of the root file system; empty when there is none. */
export async function readInRoot(rootDir: string, path: string): Promise<string> {
  try {
    return await readFile(await resolveInRoot(rootDir, path), 'utf8');
  } catch (error) {
    if (isMissing(error) || ['ENOTDIR', 'EISDIR'].includes(errnoCode(error) ?? '')) return '';
    throw error;
  }
}

/** Makes a directory and its parents inside the root. `invalid-argument` when something else is in the way. */
export async function makeDirInRoot(rootDir: string, path: string): Promise<void> {
  const real = await resolveInRoot(rootDir, path);
  try {
    await mkdir(real, { recursive: true, mode: 0o755 });
  } catch (error) {
    if (['EEXIST', 'ENOTDIR'].includes(errnoCode(error) ?? '')) throw workingDirNotDirectory(path);
    // A read-only root file system may still get the directory from a mount; the runtime has the last word.
    if (errnoCode(error) !== 'EROFS') throw error;
  }
}

/** Undefined when the path is no link or is not there. */
async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
