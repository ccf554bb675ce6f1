/** Making and removing things below a directory that others may change meanwhile: every step goes by descriptors. */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { Pace } from '../../shared/pace.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';

const DIRECTORY = O_PATH | constants.O_DIRECTORY;

/** Runs `use` with a descriptor and closes it. */
export function withFd<T>(fd: number, use: (fd: number) => T): T {
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Opens the directory `path` of the tree `rootFd`; makes it and its parents (mode 755) when missing. */
export function openDirectory(rootFd: number, path: string): number {
  return tryOpen(rootFd, path, DIRECTORY) ?? makeDirectory(rootFd, path);
}

/** Opens what is at `path`, with links followed; makes a directory or an empty file there when nothing is. */
export function openMountPoint(rootFd: number, path: string, kind: 'directory' | 'file'): number {
  const found = tryOpen(rootFd, path, O_PATH);
  if (found !== undefined) return found;
  if (kind === 'directory') return makeDirectory(rootFd, path);
  const slash = path.lastIndexOf('/');
  return withFd(openDirectory(rootFd, path.slice(0, slash) || '/'), (parent) => {
    const file = pathOfFd(parent, path.slice(slash + 1));
    closeSync(openSync(file, 'wx', 0o644));
    return openSync(file, O_PATH | constants.O_NOFOLLOW);
  });
}

function makeDirectory(rootFd: number, path: string): number {
  let parent = openInRoot(rootFd, '/', DIRECTORY);
  let prefix = '';
  for (const name of path.split('/').filter((part) => part !== '')) {
    prefix += `/${name}`;
    parent = withFd(parent, (dir) => tryOpen(rootFd, prefix, DIRECTORY) ?? makeIn(dir, name));
  }
  return parent;
}

function makeIn(parent: number, name: string): number {
  try {
    mkdirSync(pathOfFd(parent, name), 0o755);
  } catch (error) {
    // Somebody else was first; if it is no directory, opening it says so.
    if (errnoCode(error) !== 'EEXIST') throw error;
  }
  const made = openSync(pathOfFd(parent, name), DIRECTORY | constants.O_NOFOLLOW);
  // Not left to mkdir: the umask would take bits away.
  chmodSync(pathOfFd(made), 0o755);
  return made;
}

/** What is at `name` itself in the open directory; undefined when nothing is. */
export function statIn(dirFd: number, name: string): Stats | undefined {
  try {
    return lstatSync(pathOfFd(dirFd, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Removes what is at `name` with everything below, never what a link leads to. */
export async function removeIn(dirFd: number, name: string, pace = new Pace()): Promise<void> {
  const path = pathOfFd(dirFd, name);
  await pace.step();
  if (statIn(dirFd, name)?.isDirectory() !== true) {
    unlinkSync(path);
    return;
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    for (const child of readdirSync(pathOfFd(fd))) await removeIn(fd, child, pace);
  } finally {
    closeSync(fd);
  }
  rmdirSync(path);
}

function tryOpen(rootFd: number, path: string, flags: number): number | undefined {
  try {
    return openInRoot(rootFd, path, flags);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
