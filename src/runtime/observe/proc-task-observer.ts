/** The task observer of Linux: control groups where containers have their own, `/proc` elsewhere. */
import { readlink } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { listMounts, type MountEntry } from '../../sys/mount/mount-table.ts';
import { isAlive } from '../../sys/proc/process-identity.ts';
import { readVisible } from '../../sys/proc/process-table.ts';
import { taskGone } from '../runtime-errors.ts';
import type { InterfaceTraffic, ProcessTable, TaskObserver, TaskUsage } from '../task-observer.ts';
import type { TaskRecord } from '../task-runner.ts';
import { parseInterfaceTraffic } from './interface-traffic.ts';
import { listProcesses } from './list-processes.ts';
import { memberPids, membersOf, type ProcessScan, scanProcesses } from './member-pids.ts';
import { watchMemoryEvents } from './memory-events.ts';
import { parseMachineTime } from './process-counters.ts';
import { ownGroupDir, usageFromGroup } from './usage-from-group.ts';
import { usageFromProcesses } from './usage-from-processes.ts';

export class ProcTaskObserver implements TaskObserver {
  /** A look at all processes that is under way: measurements of many containers at once share it. */
  #scan: Promise<ProcessScan> | undefined;
  /**
   * The hierarchies of control groups, which do not change while we run. The table that they are in grows with
   * every container: reading it for each of a thousand took a new engine most of a minute.
   */
  #hierarchies: Promise<readonly MountEntry[]> | undefined;

  async listProcesses(record: TaskRecord, psArgs: readonly string[]): Promise<ProcessTable> {
    await assertAlive(record);
    return await listProcesses(await memberPids(record.init.pid), psArgs);
  }

  async watchMemory(record: TaskRecord, onKill: () => void, signal: AbortSignal): Promise<void> {
    const dir = await ownGroupDir(record, await this.#cgroupMounts());
    if (dir !== undefined && !signal.aborted) watchMemoryEvents(dir, onKill, signal);
  }

  async measure(record: TaskRecord): Promise<TaskUsage> {
    await assertAlive(record);
    const [groupDir, machine, networks] = await Promise.all([
      this.#cgroupMounts().then((mounts) => ownGroupDir(record, mounts)),
      readVisible('/proc/stat'),
      readNetworks(record.init.pid),
    ]);
    const group = groupDir === undefined ? {} : await usageFromGroup(groupDir);
    const isComplete = group.cpu && group.memory && group.pids && group.blockDevices;
    const processes = isComplete ? undefined : await this.#usageFromProcesses(record);
    const { cpu, memory, pids, blockDevices } = { ...processes, ...group };
    // A task that ended while we looked has left nothing but zeros.
    await assertAlive(record);
    if (!(cpu && memory && pids && blockDevices)) throw taskGone(record.id);
    return {
      cpu: { ...cpu, ...parseMachineTime(machine ?? '') },
      memory: { ...memory, limitBytes: Math.min(memory.limitBytes, totalmem()) },
      pids,
      blockDevices,
      networks,
    };
  }

  #cgroupMounts(): Promise<readonly MountEntry[]> {
    this.#hierarchies ??= listMounts().then((mounts) =>
      mounts.filter(({ type }) => type.startsWith('cgroup')),
    );
    return this.#hierarchies;
  }

  async #usageFromProcesses({ init }: TaskRecord) {
    this.#scan ??= scanProcesses().finally(() => {
      this.#scan = undefined;
    });
    return await usageFromProcesses(membersOf(await this.#scan, init.pid));
  }
}

async function assertAlive(record: TaskRecord): Promise<void> {
  if (!(await isAlive(record.init))) throw taskGone(record.id);
}

async function readNetworks(pid: number): Promise<Readonly<Record<string, InterfaceTraffic>>> {
  const [own, outer, theirs, text] = await Promise.all([
    readlink('/proc/self/ns/net'),
    // Read in the background, by a thread that is still in the network that this program was started in.
    readlink('/proc/thread-self/ns/net'),
    readlink(`/proc/${pid}/ns/net`).catch(() => undefined),
    readVisible(`/proc/${pid}/net/dev`),
  ]);
  const isShared = theirs === own || theirs === outer;
  return isShared ? {} : parseInterfaceTraffic(text ?? '');
}
