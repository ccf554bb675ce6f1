/** Usage of a container without a control group of its own: what its processes say, added up. */
import { readVisible } from '../../sys/proc/process-table.ts';
import type { BlockDeviceUsage } from '../task-observer.ts';
import { type ProcessCounters, parseProcessCounters } from './process-counters.ts';
import type { GroupUsage } from './usage-from-group.ts';

/**
 * Adds up what living processes tell. Time and input/output of ended ones are kept by the parents that waited for
 * them, so only those of exec sessions drop out at their end. Memory that processes share counts for each.
 */
export async function usageFromProcesses(pids: readonly number[]): Promise<Required<GroupUsage>> {
  const counters = await Promise.all(pids.map(countersOf));
  const sum = (name: keyof ProcessCounters) =>
    counters.reduce((total, process) => total + process[name], 0);
  const [userNs, kernelNs] = [sum('userNs'), sum('kernelNs')];
  return {
    cpu: {
      totalNs: userNs + kernelNs,
      userNs,
      kernelNs,
      throttling: { periods: 0, throttledPeriods: 0, throttledNs: 0 },
    },
    memory: {
      usageBytes: sum('residentBytes'),
      limitBytes: Number.POSITIVE_INFINITY,
      parts: {
        anon: sum('anonBytes'),
        file_mapped: sum('fileBytes'),
        shmem: sum('sharedBytes'),
      },
    },
    pids: { current: sum('threads') },
    blockDevices: [allDevices(sum('readBytes'), sum('writtenBytes'))],
  };
}

function allDevices(readBytes: number, writtenBytes: number): BlockDeviceUsage {
  return { major: 0, minor: 0, readBytes, writtenBytes };
}

async function countersOf(pid: number): Promise<ProcessCounters> {
  const [stat, status, io] = await Promise.all(
    ['stat', 'status', 'io'].map((file) => readVisible(`/proc/${pid}/${file}`)),
  );
  return parseProcessCounters({ stat, status, io });
}
