/** The files of a version 2 hierarchy (cgroups(7)): groups are directories, settings are files in them. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, isMissing } from '../system-errors.ts';

/** Access to a hierarchy: the kernel's own, or a directory tree that plays its part in tests. */
export interface CgroupFiles {
  /** Undefined for a file that is not there: its controller is not enabled, or the group has gone. */
  read(path: string): Promise<string | undefined>;
  /** Rejects with the kernel's error: `EINVAL` for a value it does not take, `EBUSY`, `ENOENT`, … */
  write(path: string, text: string): Promise<void>;
  /** Makes a group; one that is there already is left as it is. */
  makeGroup(dir: string): Promise<void>;
  /** Removes a group without sub-groups; one that is not there is no error. `EBUSY` while processes are in it. */
  removeGroup(dir: string): Promise<void>;
  /** Names of the sub-groups; none when the group has gone. */
  subgroups(dir: string): Promise<readonly string[]>;
}

/** The kernel's hierarchy. */
export const kernelCgroups: CgroupFiles = {
  read: (path) => unless(isMissing, readFile(path, 'utf8')),
  write: (path, text) => writeFile(path, text, { flag: 'r+' }),
  makeGroup: (dir) =>
    unless((error) => errnoCode(error) === 'EEXIST', mkdir(dir, { mode: 0o755 })).then(ignore),
  removeGroup: (dir) => unless(isMissing, rmdir(dir)).then(ignore),
  subgroups: async (dir) => {
    const entries = await unless(isMissing, readdir(dir, { withFileTypes: true }));
    return (entries ?? []).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  },
};

/** Controllers that can be had for the sub-groups of a group. */
export async function offeredControllers(
  files: CgroupFiles,
  dir: string,
): Promise<readonly string[]> {
  return wordsOf(await files.read(join(dir, 'cgroup.controllers')));
}

/** Enables for the sub-groups what is offered of `wanted`; resolves to what is enabled afterwards. */
export async function enableControllers(
  files: CgroupFiles,
  dir: string,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const control = join(dir, 'cgroup.subtree_control');
  const offered = await offeredControllers(files, dir);
  for (const name of wanted.filter((controller) => offered.includes(controller))) {
    // One at a time: a refused one must not keep the others away.
    await files.write(control, `+${name}`).catch(ignore);
  }
  return wordsOf(await files.read(control));
}

/** Takes every controller from the sub-groups, so that processes may be in the group itself again. */
export async function disableControllers(files: CgroupFiles, dir: string): Promise<void> {
  const control = join(dir, 'cgroup.subtree_control');
  for (const name of wordsOf(await files.read(control))) await files.write(control, `-${name}`);
}

/** Removes a group with everything below it. Rejects with `EBUSY` while processes are in it. Idempotent. */
export async function removeGroupTree(files: CgroupFiles, dir: string): Promise<void> {
  for (const name of await files.subgroups(dir)) await removeGroupTree(files, join(dir, name));
  await files.removeGroup(dir);
}

/** Pids in a group, without those of its sub-groups. */
export async function groupMembers(files: CgroupFiles, dir: string): Promise<readonly number[]> {
  return wordsOf(await files.read(join(dir, 'cgroup.procs'))).map(Number);
}

/** Puts a process into a group. */
export async function joinGroup(files: CgroupFiles, dir: string, pid: number): Promise<void> {
  await files.write(join(dir, 'cgroup.procs'), String(pid));
}

function wordsOf(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

async function unless<T>(
  isExpected: (error: unknown) => boolean,
  work: Promise<T>,
): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isExpected(error)) return undefined;
    throw error;
  }
}

function ignore(): undefined {
  return undefined;
}
