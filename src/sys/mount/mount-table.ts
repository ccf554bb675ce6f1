/** What is mounted in this mount namespace. */
import { readFile } from 'node:fs/promises';
import { invariant } from '../../shared/errors.ts';
import { UmountFlag, umount } from '../libc.ts';
import { errnoCode } from '../system-errors.ts';

/** One line of `/proc/self/mountinfo` (proc(5)). */
export interface MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** Path within the file system that is visible at the mount point. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of the mount point, e.g. `rw`, `nosuid`. */
  readonly options: readonly string[];
  /** Propagation, e.g. `shared:1`; empty for private mounts. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  /** Options of the file system. */
  readonly superOptions: readonly string[];
}

/** All mounts, in the order of the kernel: a later one at the same place hides the earlier. */
export async function listMounts(): Promise<readonly MountEntry[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Mounts at `dir` and below it. */
export async function mountsUnder(dir: string): Promise<readonly MountEntry[]> {
  return (await listMounts()).filter(({ mountPoint }) => isUnder(mountPoint, dir));
}

/** The mount that `path` (absolute, without symlinks) lies on: the last one of those nearest to it. */
export async function mountAround(path: string): Promise<MountEntry> {
  const around = (await listMounts()).filter(({ mountPoint }) => isUnder(path, mountPoint));
  const [nearest] = around
    .toReversed()
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length);
  invariant(nearest !== undefined, `no mount holds ${path}`);
  return nearest;
}

/** True when something is mounted exactly at `path` (absolute, without symlinks). */
export async function isMounted(path: string): Promise<boolean> {
  return (await listMounts()).some(({ mountPoint }) => mountPoint === path);
}

/** Takes a mount away, at once from the name space and as soon as it is unused for good. Idempotent. */
export function unmountLazily(path: string): void {
  try {
    umount(path, UmountFlag.detach | UmountFlag.noFollow);
  } catch (error) {
    if (!['EINVAL', 'ENOENT'].includes(errnoCode(error) ?? '')) throw error;
  }
}

/** Takes away everything mounted at `dir` and below, innermost first. Returns how many mounts there were. */
export async function unmountTree(dir: string): Promise<number> {
  const mounts = await mountsUnder(dir);
  for (const { mountPoint } of mounts.toReversed()) unmountLazily(mountPoint);
  return mounts.length;
}

/** Parses mountinfo; lines that do not have its form are left out. */
export function parseMountInfo(text: string): readonly MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const entry = parseLine(line);
    return entry === undefined ? [] : [entry];
  });
}

/** Undoes the kernel's octal escapes of space, tab, newline and backslash. */
export function unescapeMountPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function parseLine(line: string): MountEntry | undefined {
  // A variable number of propagation fields is closed by a dash.
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [id, parentId, , root, mountPoint, options] = fields;
  const [type, source, superOptions] = fields.slice(dash + 1);
  if (dash < 0 || mountPoint === undefined || type === undefined) return undefined;
  return {
    id: Number(id),
    parentId: Number(parentId),
    root: unescapeMountPath(root ?? ''),
    mountPoint: unescapeMountPath(mountPoint),
    options: (options ?? '').split(','),
    propagation: fields.slice(6, dash),
    type,
    source: unescapeMountPath(source ?? ''),
    superOptions: (superOptions ?? '').split(','),
  };
}

function isUnder(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir.endsWith('/') ? dir : `${dir}/`);
}
