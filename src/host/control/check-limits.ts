/** What a daemon that is started now could limit, for `wherry doctor`. */
import { join } from 'node:path';
import { type CgroupFacts, detectCgroups } from '../../sys/cgroup/cgroup-facts.ts';
import { kernelCgroups, offeredControllers } from '../../sys/cgroup/cgroup-files.ts';
import type { DoctorCheck } from '../machine.ts';

/** Controllers that Docker's limits need. */
const LIMIT_CONTROLLERS = ['cpu', 'cpuset', 'io', 'memory', 'pids'];
const UNIFIED_CURE = 'boot with systemd.unified_cgroup_hierarchy=1 on the kernel command line';
const DELEGATION_CURE =
  'write "[Service]" and "Delegate=cpu cpuset io memory pids" as two lines to ' +
  '/etc/systemd/system/user@.service.d/delegate.conf, then sudo systemctl daemon-reload, and log in again';

/** Looks at the group that this command is in and at the one of the user's systemd. */
export async function checkLimits(name: string, uid: number): Promise<DoctorCheck> {
  const place = await detectCgroups();
  const limited = (detail: string, cure: string): DoctorCheck => ({
    name,
    state: 'limited',
    detail: `${detail}: limits of containers are emulated or have no effect`,
    cure,
  });
  if (place.layout !== 'v2' || place.v2MountPoint === undefined) {
    return limited(`control groups are ${place.layout}`, UNIFIED_CURE);
  }
  const usable = await usableControllers(place, place.v2MountPoint, uid);
  if (usable.length === 0) {
    const cure = `let the user have a systemd of its own: sudo loginctl enable-linger ${uid}`;
    return limited('no control group is delegated to this user', cure);
  }
  const missing = LIMIT_CONTROLLERS.filter((controller) => !usable.includes(controller));
  if (missing.length === 0) return { name, state: 'ok', detail: `by ${usable.join(', ')}` };
  return limited(`${missing.join(', ')} not delegated to this user`, DELEGATION_CURE);
}

/** Those of the user's systemd (root has the system's), or of the own group where there is none. */
async function usableControllers(
  place: CgroupFacts,
  mountPoint: string,
  uid: number,
): Promise<readonly string[]> {
  const own = `user.slice/user-${uid}.slice/user@${uid}.service`;
  const managed = join(mountPoint, uid === 0 ? 'system.slice' : own);
  const offered = await offeredControllers(kernelCgroups, managed);
  if (offered.length > 0) return offered;
  return place.delegated ? place.controllers : [];
}
