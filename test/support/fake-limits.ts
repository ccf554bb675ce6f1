/** Machines that can set every limit, and none. */
import type { LimitSupport } from '../../src/runtime/limit-support.ts';

/** Containers have no control groups; there are two processors. */
export const NO_LIMITS: LimitSupport = {
  ...{ memory: false, swap: false, cpu: false, cpuset: false, pids: false },
  ...{ io: false, ioWeight: false, freezer: false },
  cpus: [0, 1],
  lack: 'no control group is delegated to this user',
};

/** Every controller is delegated. */
export const ALL_LIMITS: LimitSupport = {
  ...{ memory: true, swap: true, cpu: true, cpuset: true, pids: true },
  ...{ io: true, ioWeight: true, freezer: true },
  cpus: [0, 1],
  lack: 'its controller is not delegated to this user',
};
