/** A measurement with a number of its own in every field. */
import type { TaskUsage } from '../../src/runtime/task-observer.ts';

export const FAKE_USAGE: TaskUsage = {
  cpu: {
    totalNs: 30,
    userNs: 20,
    kernelNs: 10,
    machineNs: 4000,
    onlineCpus: 2,
    throttling: { periods: 5, throttledPeriods: 3, throttledNs: 7 },
  },
  memory: { usageBytes: 1024, limitBytes: 4096, parts: { anon: 512 } },
  pids: { current: 3, limit: 100 },
  blockDevices: [{ major: 8, minor: 1, readBytes: 11, writtenBytes: 12 }],
  networks: {
    eth0: {
      received: { bytes: 21, packets: 22, errors: 23, dropped: 24 },
      sent: { bytes: 31, packets: 32, errors: 33, dropped: 34 },
    },
  },
};
