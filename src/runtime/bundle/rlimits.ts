/** Resource limits of a container's processes (`Ulimits`; getrlimit(2)). */
import type { SpecRlimit } from '../../oci/runtime-spec.ts';
import type { Ulimit } from '../../wire/container-config.ts';
import { invalidUlimit } from '../runtime-errors.ts';
import { UNLIMITED } from './encode-spec.ts';

/** Names of ulimits, with what `/proc/self/limits` calls them. */
const PROC_NAMES: Readonly<Record<string, string>> = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
};

/**
 * The limits in the runtime's form. One that is higher than our own hard limit is lowered to it: raising it takes a
 * privilege outside of the user namespace, and refusing would keep images from running that ask out of habit.
 */
export function toRlimits(
  ulimits: readonly Ulimit[],
  hardLimits: ReadonlyMap<string, number>,
): readonly SpecRlimit[] {
  return ulimits.map(({ Name, Soft, Hard }) => {
    const name = Name.toLowerCase();
    const most = hardLimitOf(name, hardLimits);
    const bounded = (value: number) => {
      const limit = Math.min(value < 0 ? Number.POSITIVE_INFINITY : value, most);
      return Number.isFinite(limit) ? limit : UNLIMITED;
    };
    return { type: `RLIMIT_${name.toUpperCase()}`, soft: bounded(Soft), hard: bounded(Hard) };
  });
}

/** Our own hard limit for a ulimit; `Infinity` when there is none. `invalid-argument` for a name nobody knows. */
export function hardLimitOf(name: string, hardLimits: ReadonlyMap<string, number>): number {
  const procName = PROC_NAMES[name.toLowerCase()];
  if (procName === undefined) throw invalidUlimit(name);
  return hardLimits.get(procName) ?? Number.POSITIVE_INFINITY;
}
