/** Copies files into a root file system by descriptors, so that its links cannot lead out of it. */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { copyFile as copyFileBeside } from 'node:fs/promises';
import { posix } from 'node:path';
import { Pace } from '../../shared/pace.ts';
import { O_PATH, openInRoot, pathOfFd } from '../../sys/fs/open-in-root.ts';
import { mknod } from '../../sys/libc.ts';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import { removeIn, statIn, withFd } from '../archive/make-in-root.ts';
import type { FileOwner } from '../layer-owners.ts';
import { writeFailed } from '../storage-errors.ts';
import type { CopyEntry, CopyOptions, TreeCopier } from '../tree-copier.ts';

const DIRECTORY = O_PATH | constants.O_DIRECTORY;
const PERMISSIONS = 0o7777;
/** Files up to this size are read and written; larger ones may share blocks, which the kernel copies. */
const SMALL_BYTES = 64 * 1024;
/** Files of this size are copied beside the event loop: others are answered meanwhile. */
const BESIDE_BYTES = 1024 * 1024;
const ROOT: FileOwner = { uid: 0, gid: 0 };

export class InRootCopier implements TreeCopier {
  async copy(
    rootfsDir: string,
    entries: readonly CopyEntry[],
    options: CopyOptions,
  ): Promise<void> {
    const rootFd = openSync(rootfsDir, DIRECTORY);
    try {
      await copyInto(rootFd, entries, options);
    } finally {
      closeSync(rootFd);
    }
  }

  isDirectory(rootfsDir: string, path: string): boolean {
    return withFd(openSync(rootfsDir, DIRECTORY), (rootFd) => {
      try {
        return withFd(openInRoot(rootFd, path, O_PATH), (fd) => fstatSync(fd).isDirectory());
      } catch (error) {
        if (isMissing(error) || errnoCode(error) === 'ENOTDIR') return false;
        throw error;
      }
    });
  }

  makeDirectory(rootfsDir: string, path: string, owner: FileOwner): boolean {
    return withFd(openSync(rootfsDir, DIRECTORY), (rootFd) => {
      let isMade = false;
      closeSync(
        openMade(rootFd, path, (dir) => {
          isMade = true;
          // The path is that of a descriptor: a link that is to be followed.
          giveOwner(dir, owner, chownSync);
        }),
      );
      return isMade;
    });
  }
}

async function copyInto(
  rootFd: number,
  entries: readonly CopyEntry[],
  options: CopyOptions,
): Promise<void> {
  const pace = new Pace();
  const directories: { readonly to: string; readonly seconds: number }[] = [];
  let parent: { readonly path: string; readonly fd: number } | undefined;
  try {
    for (const entry of entries) {
      await pace.step();
      const dir = posix.dirname(entry.to);
      if (parent?.path !== dir) {
        if (parent !== undefined) closeSync(parent.fd);
        parent = undefined;
        parent = { path: dir, fd: openMade(rootFd, dir, (made) => finishMade(made, options)) };
      }
      const stats = lstatSync(entry.from);
      await copyOne({ entry, stats, dirFd: parent.fd, rootFd }, options, pace);
      if (stats.isDirectory()) {
        directories.push({ to: entry.to, seconds: options.mtimeSeconds ?? stats.mtimeMs / 1000 });
      }
    }
  } catch (error) {
    throw writeFailed('copy files', error);
  } finally {
    if (parent !== undefined) closeSync(parent.fd);
  }
  // Last: making entries changes the times of their directories.
  for (const { to, seconds } of directories) {
    withFd(openInRoot(rootFd, to, DIRECTORY), (fd) => utimesSync(pathOfFd(fd), seconds, seconds));
  }
}

interface OneCopy {
  readonly entry: CopyEntry;
  readonly stats: Stats;
  /** The directory that it goes into. */
  readonly dirFd: number;
  readonly rootFd: number;
}

async function copyOne(copy: OneCopy, options: CopyOptions, pace: Pace): Promise<void> {
  const { entry, stats, dirFd, rootFd } = copy;
  const name = posix.basename(entry.to);
  if (stats.isDirectory()) {
    copyDirectory(copy, options);
    return;
  }
  if (statIn(dirFd, name) !== undefined) await removeIn(dirFd, name, pace);
  const path = name === '' ? pathOfFd(rootFd) : pathOfFd(dirFd, name);
  if (stats.isFile() && stats.size <= SMALL_BYTES) {
    copySmallFile(entry.from, path, { stats, options });
    return;
  }
  if (stats.isFile()) await copyFile(entry.from, path, stats.size);
  else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(entry.from), path);
  else if (stats.isFIFO()) mknod(path, constants.S_IFIFO | 0o600, { major: 0, minor: 0 });
  else return;
  giveAttributes(path, stats, options);
}

/** A few calls of the kernel for each file, by its descriptor: contexts have thousands of such files. */
function copySmallFile(
  from: string,
  to: string,
  { stats, options }: { readonly stats: Stats; readonly options: CopyOptions },
): void {
  const content = readFileSync(from);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  withFd(openSync(to, flags, 0o600), (fd) => {
    writeFileSync(fd, content);
    giveOwner(fd, options.owner ?? stats, fchownSync);
    const mode = stats.mode & PERMISSIONS;
    fchmodSync(fd, options.modeOf?.(mode, false) ?? mode);
    const seconds = options.mtimeSeconds ?? stats.mtimeMs / 1000;
    futimesSync(fd, seconds, seconds);
  });
}

/** Files of a middle size are copied at once: handing them to a thread costs more. */
async function copyFile(from: string, to: string, sizeBytes: number): Promise<void> {
  const mode = constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL;
  if (sizeBytes < BESIDE_BYTES) copyFileSync(from, to, mode);
  else await copyFileBeside(from, to, mode);
}

function copyDirectory({ entry, stats, dirFd, rootFd }: OneCopy, options: CopyOptions): void {
  const name = posix.basename(entry.to);
  if (name === '') return;
  const there = statIn(dirFd, name);
  const isLinkToDirectory = there?.isSymbolicLink() === true && leadsToDirectory(rootFd, entry.to);
  if (isLinkToDirectory) return;
  if (there === undefined) mkdirSync(pathOfFd(dirFd, name), 0o700);
  giveAttributes(pathOfFd(dirFd, name), stats, options);
}

function leadsToDirectory(rootFd: number, path: string): boolean {
  try {
    return withFd(openInRoot(rootFd, path, O_PATH), (fd) => fstatSync(fd).isDirectory());
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function giveAttributes(path: string, stats: Stats, options: CopyOptions): void {
  giveOwner(path, options.owner ?? stats, lchownSync);
  const seconds = options.mtimeSeconds ?? stats.mtimeMs / 1000;
  if (stats.isSymbolicLink()) {
    lutimesSync(path, seconds, seconds);
    return;
  }
  const mode = stats.mode & PERMISSIONS;
  // After the change of owner, which clears special bits.
  chmodSync(path, options.modeOf?.(mode, stats.isDirectory()) ?? mode);
  utimesSync(path, seconds, seconds);
}

/** An owner that this user namespace does not map stays away: the files are ours then. */
function giveOwner<T extends string | number>(
  file: T,
  { uid, gid }: FileOwner,
  change: (file: T, uid: number, gid: number) => void,
): void {
  try {
    change(file, uid, gid);
  } catch (error) {
    if (errnoCode(error) !== 'EINVAL') throw error;
  }
}

/** A directory that nobody copied, made on the way to something. */
function finishMade(path: string, { owner = ROOT, mtimeSeconds }: CopyOptions): void {
  giveOwner(path, owner, chownSync);
  if (mtimeSeconds !== undefined) utimesSync(path, mtimeSeconds, mtimeSeconds);
}

/** Opens a directory; makes it and its parents when missing and tells `onMade` of each. */
function openMade(rootFd: number, path: string, onMade: (path: string) => void): number {
  let parent = openInRoot(rootFd, '/', DIRECTORY);
  let prefix = '';
  for (const name of path.split('/').filter((part) => part !== '')) {
    prefix += `/${name}`;
    parent = withFd(parent, (dir) => openOrMake({ rootFd, dir, name, path: prefix }, onMade));
  }
  return parent;
}

function openOrMake(
  at: {
    readonly rootFd: number;
    readonly dir: number;
    readonly name: string;
    readonly path: string;
  },
  onMade: (path: string) => void,
): number {
  try {
    return openInRoot(at.rootFd, at.path, DIRECTORY);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const made = pathOfFd(at.dir, at.name);
  mkdirSync(made, 0o755);
  const fd = openSync(made, DIRECTORY | constants.O_NOFOLLOW);
  // Not left to mkdir: the umask would take bits away.
  chmodSync(pathOfFd(fd), 0o755);
  onMade(pathOfFd(fd));
  return fd;
}
