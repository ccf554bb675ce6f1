/** Making a hybrid control group layout look like a pure version 2 one, for this mount namespace only. */
import { bindMount } from '../sys/libc.ts';
import { listMounts, type MountEntry } from '../sys/mount/mount-table.ts';

const CGROUP_DIR = '/sys/fs/cgroup';

/**
 * Binds the version 2 hierarchy over `/sys/fs/cgroup` where version 1 ones are mounted there: crun refuses hybrid
 * layouts. To be called once at engine start, in the engine's own mount namespace. Idempotent; returns whether a
 * mount was made.
 */
export async function prepareCgroupMount(): Promise<boolean> {
  const source = hybridSource(await listMounts());
  if (source === undefined) return false;
  bindMount(source, CGROUP_DIR);
  return true;
}

/** Where the version 2 hierarchy is when it is not at its place; undefined when nothing is to be done. */
export function hybridSource(mounts: readonly MountEntry[]): string | undefined {
  const visible = mounts.findLast(({ mountPoint }) => mountPoint === CGROUP_DIR);
  if (visible?.type === 'cgroup2') return undefined;
  return mounts.find(({ type }) => type === 'cgroup2')?.mountPoint;
}
