/** Compares a layer's directory with what its archive says. */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { systemCode } from '../../shared/errors.ts';
import type { LayerOwners } from '../layer-owners.ts';
import type { TarEntry } from '../tar/tar-entry.ts';
import { OPAQUE_NAME } from '../unpack/whiteouts.ts';
import type { ExpectedFile, ExpectedTree } from './expected-tree.ts';

/** So many paths are looked at without a pause. */
const AT_ONCE = 64;
const PERMISSIONS = 0o7777;

export interface TreeToCompare {
  readonly dir: string;
  readonly expected: ExpectedTree;
  /** Owners that stand-ins were taken for. */
  readonly owners: LayerOwners;
}

/** Yields one line for each difference. */
export async function* treeDifferences(tree: TreeToCompare): AsyncGenerator<string> {
  let count = 0;
  for (const [path, file] of tree.expected.files) {
    if (++count % AT_ONCE === 0) await setImmediate();
    const stats = statOf(`${tree.dir}/${path}`);
    const difference =
      stats === undefined ? 'is missing' : differenceOf(tree, file, { path, stats });
    if (difference !== undefined) yield `/${path} ${difference}`;
    else if (file.kind === 'file' && file.sha256 !== undefined) {
      const actual = await sha256Of(`${tree.dir}/${path}`);
      if (actual !== file.sha256) yield `/${path} has other contents`;
    }
  }
  yield* extraFiles(tree);
}

function differenceOf(
  tree: TreeToCompare,
  file: ExpectedFile,
  found: { readonly path: string; readonly stats: Stats },
): string | undefined {
  const { stats, path } = found;
  if (file.kind === 'whiteout') {
    return stats.isCharacterDevice() || stats.isFile() ? undefined : 'is no whiteout';
  }
  const { entry, kind } = file;
  if (!hasKind(stats, kind)) return `is no ${kind}`;
  const isOwned = stats.uid === entry.uid && stats.gid === entry.gid;
  if (!isOwned && !tree.owners.has(file.name)) return `belongs to ${stats.uid}:${stats.gid}`;
  if (kind === 'symlink') {
    const target = readlinkSync(`${tree.dir}/${path}`);
    return target === entry.linkName ? undefined : `leads to ${target}`;
  }
  if ((stats.mode & PERMISSIONS) !== (entry.mode & PERMISSIONS)) {
    return `has the mode ${octal(stats.mode)} instead of ${octal(entry.mode)}`;
  }
  return kind === 'file' ? contentDifference(stats, entry) : undefined;
}

/** What size and time tell of the contents. The time of a directory changes more easily than what is in it. */
function contentDifference(stats: Stats, entry: TarEntry): string | undefined {
  if (stats.size !== entry.size) return `has ${stats.size} bytes instead of ${entry.size}`;
  return isSameTime(stats, entry) ? undefined : 'was changed';
}

async function* extraFiles(tree: TreeToCompare): AsyncGenerator<string> {
  const known = withParents(tree.expected.files.keys());
  const pending = [''];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    await setImmediate();
    for (const item of readdirSync(`${tree.dir}/${dir}`, { withFileTypes: true })) {
      const path = dir === '' ? item.name : `${dir}/${item.name}`;
      // The mark of a directory that hides what is below: the archive need not say it in words.
      if (item.name === OPAQUE_NAME) continue;
      if (!known.has(path)) yield `/${path} is not in the image`;
      else if (item.isDirectory()) pending.push(path);
    }
  }
}

function withParents(paths: Iterable<string>): ReadonlySet<string> {
  const all = new Set<string>();
  for (const path of paths) {
    all.add(path);
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      all.add(path.slice(0, at));
    }
  }
  return all;
}

function hasKind(stats: Stats, kind: 'file' | 'directory' | 'symlink' | 'fifo'): boolean {
  switch (kind) {
    case 'file':
      return stats.isFile();
    case 'directory':
      return stats.isDirectory();
    case 'symlink':
      return stats.isSymbolicLink();
    case 'fifo':
      return stats.isFIFO();
  }
}

function isSameTime(stats: Stats, entry: TarEntry): boolean {
  return Math.abs(stats.mtimeMs / 1000 - entry.mtimeSeconds) < 1;
}

function octal(mode: number): string {
  return (mode & PERMISSIONS).toString(8).padStart(4, '0');
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
