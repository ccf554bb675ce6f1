/** The runtime makes places for its mounts in the root file system; they are none of the command's files. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { posix } from 'node:path';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';

const DIRECTORY = O_PATH | constants.O_DIRECTORY;
/** Where every container has something mounted. */
const ALWAYS = ['/dev', '/proc', '/sys', '/etc/resolv.conf', '/etc/hosts', '/etc/hostname'];

/** The places, and directories above them, that are not there yet. Deepest first. */
export function missingPlaces(rootfsDir: string, mounted: readonly string[]): readonly string[] {
  const missing = new Set<string>();
  const rootFd = openSync(rootfsDir, DIRECTORY);
  try {
    for (const place of [...ALWAYS, ...mounted]) {
      for (let path = place; path !== '/'; path = posix.dirname(path)) {
        if (!isThere(rootFd, path)) missing.add(path);
      }
    }
  } finally {
    closeSync(rootFd);
  }
  return [...missing].sort((a, b) => b.length - a.length);
}

/** Removes those of the places that are there now and empty. */
export function removeEmptyPlaces(rootfsDir: string, places: readonly string[]): void {
  const rootFd = openSync(rootfsDir, DIRECTORY);
  try {
    for (const path of places) removeIfEmpty(rootFd, path);
  } finally {
    closeSync(rootFd);
  }
}

function isThere(rootFd: number, path: string): boolean {
  try {
    closeSync(openInRoot(rootFd, path, O_PATH));
    return true;
  } catch (error) {
    if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

function removeIfEmpty(rootFd: number, path: string): void {
  if (!isThere(rootFd, path)) return;
  const fd = openInRoot(rootFd, path, O_PATH | constants.O_NOFOLLOW);
  const parentFd = openInRoot(rootFd, posix.dirname(path), DIRECTORY);
  try {
    const stats = fstatSync(fd);
    const name = pathOfFd(parentFd, posix.basename(path));
    if (stats.isDirectory()) {
      if (readdirSync(pathOfFd(fd)).length === 0) rmdirSync(name);
    } else if (stats.isFile() && stats.size === 0) unlinkSync(name);
  } finally {
    closeSync(fd);
    closeSync(parentFd);
  }
}
