/** Copies directory trees with owners, modes, times, links, holes and extended attributes. */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { findEngineError, systemCode } from '../../shared/errors.ts';
import { Pace } from '../../shared/pace.ts';
import { lgetxattr, llistxattr, lsetxattr, mknod } from '../../sys/libc.ts';
import { OPAQUE_NAME, WHITEOUT_PREFIX } from '../unpack/whiteouts.ts';

/** What `.wh.` names in the source mean: ordinary files, or whiteouts to be carried out in the target. */
export type WhiteoutHandling = 'keep' | 'apply';

const PERMISSIONS = 0o7777;

/** Attributes that a user namespace or another file system may refuse; the copy goes on without them. */
const REFUSED: ReadonlySet<string | undefined> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'EPERM']);

interface CopyRun {
  readonly whiteouts: WhiteoutHandling;
  /** Where the first name of a hard-linked file went, by device and inode. */
  readonly links: Map<string, string>;
  readonly pace: Pace;
}

interface Pending {
  readonly from: string;
  readonly to: string;
  readonly stats: Stats;
}

/**
 * Copies the contents of directory `from` into directory `to`, both existing, and gives `to` the attributes of
 * `from`. What `to` has already stays, unless an entry of the same name replaces it. Files share their blocks
 * with the original where the file system can. The event loop gets its turn now and then.
 */
export async function copyTree(
  from: string,
  to: string,
  options: { readonly whiteouts: WhiteoutHandling } = { whiteouts: 'keep' },
): Promise<void> {
  const run: CopyRun = { whiteouts: options.whiteouts, links: new Map(), pace: new Pace() };
  const finished: Pending[] = [];
  const pending: Pending[] = [{ from, to, stats: lstatSync(from) }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    finished.push(next);
    pending.push(...(await copyEntries(run, next)));
  }
  // Children first: making an entry changes the times of its directory.
  for (const { from: source, to: target, stats } of finished.reverse()) {
    copyAttributes(source, target, stats);
  }
}

/** Copies everything in one directory but the contents of its directories, which it returns. */
async function copyEntries(run: CopyRun, dir: Pending): Promise<Pending[]> {
  const names = readdirSync(dir.from);
  if (run.whiteouts === 'apply') applyWhiteouts(names, dir.to);
  const directories: Pending[] = [];
  for (const name of names) {
    if (run.whiteouts === 'apply' && name.startsWith(WHITEOUT_PREFIX)) continue;
    const entry = { from: `${dir.from}/${name}`, to: `${dir.to}/${name}` };
    const stats = lstatSync(entry.from);
    if (stats.isDirectory()) {
      ensureDirectory(entry.to);
      directories.push({ ...entry, stats });
    } else copyEntry(run, { ...entry, stats });
    await run.pace.step();
  }
  return directories;
}

function applyWhiteouts(names: readonly string[], target: string): void {
  if (names.includes(OPAQUE_NAME)) {
    for (const name of readdirSync(target)) remove(`${target}/${name}`);
  }
  for (const name of names) {
    if (name === OPAQUE_NAME || !name.startsWith(WHITEOUT_PREFIX)) continue;
    remove(`${target}/${name.slice(WHITEOUT_PREFIX.length)}`);
  }
}

function ensureDirectory(path: string): void {
  if (tryStat(path)?.isDirectory() === true) return;
  remove(path);
  mkdirSync(path, 0o700);
}

function copyEntry(run: CopyRun, entry: Pending): void {
  const { from, to, stats } = entry;
  remove(to);
  const key = `${stats.dev}:${stats.ino}`;
  const twin = stats.nlink > 1 ? run.links.get(key) : undefined;
  if (twin !== undefined) {
    linkSync(twin, to);
    return;
  }
  if (!makeEntry(entry)) return;
  if (stats.nlink > 1) run.links.set(key, to);
  copyAttributes(from, to, stats);
}

/** False for what cannot be copied: sockets, and devices in a user namespace. */
function makeEntry({ from, to, stats }: Pending): boolean {
  if (stats.isFile()) copyFileSync(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  else if (stats.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (stats.isFIFO()) mknod(to, constants.S_IFIFO | 0o600, { major: 0, minor: 0 });
  else return false;
  return true;
}

function copyAttributes(from: string, to: string, stats: Stats): void {
  lchownSync(to, stats.uid, stats.gid);
  const seconds = stats.mtimeMs / 1000;
  if (stats.isSymbolicLink()) {
    lutimesSync(to, stats.atimeMs / 1000, seconds);
    return;
  }
  chmodSync(to, stats.mode & PERMISSIONS);
  for (const name of llistxattr(from)) copyXattr(from, to, name);
  utimesSync(to, stats.atimeMs / 1000, seconds);
}

function copyXattr(from: string, to: string, name: string): void {
  try {
    const value = lgetxattr(from, name);
    if (value !== undefined) lsetxattr(to, name, value);
  } catch (error) {
    if (!REFUSED.has(findEngineError(error)?.details['code'])) throw error;
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function tryStat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
