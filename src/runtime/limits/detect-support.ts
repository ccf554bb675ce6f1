/** Finding out which limits this machine can set. */
import { join } from 'node:path';
import type { CgroupFiles } from '../../sys/cgroup/cgroup-files.ts';
import { readAffinity } from '../../sys/proc/scheduling.ts';
import type { LimitSupport } from '../limit-support.ts';
import { parseNumberList } from './number-list.ts';

/** What there is where containers have no groups of their own. */
export function withoutGroups(lack: string): LimitSupport {
  const none = { memory: false, swap: false, cpu: false, cpuset: false, pids: false };
  return { ...none, io: false, ioWeight: false, freezer: false, cpus: readAffinity(), lack };
}

/** Looks at the files that a group for containers has. */
export async function supportOfGroup(files: CgroupFiles, dir: string): Promise<LimitSupport> {
  const has = async (file: string) => (await files.read(join(dir, file))) !== undefined;
  const [memory, swap, cpu, cpuset, pids, io, ioWeight, freezer] = await Promise.all(
    ['memory.max', 'memory.swap.max', 'cpu.max', 'cpuset.cpus', 'pids.max']
      .concat('io.max', 'io.weight', 'cgroup.freeze')
      .map(has),
  );
  const effective = await files.read(join(dir, 'cpuset.cpus.effective'));
  return {
    memory: memory === true,
    swap: swap === true,
    cpu: cpu === true,
    cpuset: cpuset === true,
    pids: pids === true,
    io: io === true,
    ioWeight: ioWeight === true,
    freezer: freezer === true,
    cpus: parseNumberList(effective ?? '') ?? readAffinity(),
    lack: 'its controller is not delegated to this user',
  };
}
