/** Which control groups this process lives in, and whether it may divide them. */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listMounts, type MountEntry } from '../mount/mount-table.ts';
import { isMissing } from '../system-errors.ts';

/** `hybrid`: version 1 hierarchies with a version 2 mount beside them. */
export type CgroupLayout = 'v2' | 'hybrid' | 'v1' | 'none';

/** The control groups as seen by this process. */
export interface CgroupFacts {
  readonly layout: CgroupLayout;
  /** Mount point of the version 2 hierarchy. */
  readonly v2MountPoint: string | undefined;
  /** This process's own directory in the version 2 hierarchy. */
  readonly ownDir: string | undefined;
  /** Version 2 controllers offered to the own directory, e.g. `memory`, `pids`. */
  readonly controllers: readonly string[];
  /** True when sub-groups with limits can be made in the own directory. */
  readonly delegated: boolean;
}

/** What mounts and `/proc/self/cgroup` say, before the file system is asked. */
export type CgroupPlace = Pick<CgroupFacts, 'layout' | 'v2MountPoint' | 'ownDir'>;

/** Looks at the mounts of this mount namespace and at the own group. */
export async function detectCgroups(): Promise<CgroupFacts> {
  const place = locateCgroups(await listMounts(), await readOrEmpty('/proc/self/cgroup'));
  if (place.ownDir === undefined) return { ...place, controllers: [], delegated: false };
  const controllers = await readOrEmpty(join(place.ownDir, 'cgroup.controllers'));
  return {
    ...place,
    controllers: controllers.split(/\s+/).filter((name) => name !== ''),
    delegated: await isDelegated(place.ownDir),
  };
}

/** Layout and places from the mount table and the text of `/proc/self/cgroup` (cgroups(7)). */
export function locateCgroups(mounts: readonly MountEntry[], ownGroups: string): CgroupPlace {
  const v2 = mounts.findLast(({ type }) => type === 'cgroup2');
  const hasV1 = mounts.some(({ type }) => type === 'cgroup');
  const own = /^0::(.*)$/m.exec(ownGroups)?.[1];
  return {
    layout: layoutOf(v2 !== undefined, hasV1),
    v2MountPoint: v2?.mountPoint,
    ownDir: v2 === undefined || own === undefined ? undefined : visibleDir(v2, own),
  };
}

function layoutOf(hasV2: boolean, hasV1: boolean): CgroupLayout {
  if (hasV2) return hasV1 ? 'hybrid' : 'v2';
  return hasV1 ? 'v1' : 'none';
}

/** A bind mount may show only a part of the hierarchy; a group outside of that part has no path here. */
function visibleDir(mount: MountEntry, group: string): string | undefined {
  if (mount.root === '/') return join(mount.mountPoint, group);
  if (group !== mount.root && !group.startsWith(`${mount.root}/`)) return undefined;
  return join(mount.mountPoint, group.slice(mount.root.length));
}

async function isDelegated(dir: string): Promise<boolean> {
  const needed = [dir, join(dir, 'cgroup.procs'), join(dir, 'cgroup.subtree_control')];
  try {
    for (const path of needed) await access(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
