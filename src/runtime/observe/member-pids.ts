/** Which processes belong to a container, told from the namespaces that `/proc` shows. */
import { readlink } from 'node:fs/promises';
import { readStat } from '../../sys/proc/process-identity.ts';
import { listPids } from '../../sys/proc/process-table.ts';

/** All processes of one moment, with what decides to which container they belong. */
export interface ProcessScan {
  readonly processes: readonly ScannedProcess[];
  /** Pid namespace of this program. */
  readonly ownPidNamespace: string | undefined;
}

interface ScannedProcess extends Namespaces {
  readonly pid: number;
  readonly parentPid: number | undefined;
  /** Start time in clock ticks since boot. */
  readonly startTicks: number | undefined;
}

interface Namespaces {
  readonly mount: string | undefined;
  readonly pids: string | undefined;
}

/** Looks at every process once. Those that end meanwhile, or may not be looked at, have no namespaces. */
export async function scanProcesses(): Promise<ProcessScan> {
  const [own, processes] = await Promise.all([
    namespacesOf('self'),
    listPids().then((pids) => Promise.all(pids.map(scanProcess))),
  ]);
  return { processes, ownPidNamespace: own.pids };
}

/** Pids of a container's processes, init first: see `membersOf`. */
export async function memberPids(initPid: number): Promise<readonly number[]> {
  return membersOf(await scanProcesses(), initPid);
}

/**
 * Init first: whatever shares its mount namespace or its own pid namespace, and their descendants. A pid namespace is
 * the own one of its first process; who joined it later has no claim on the others.
 */
export function membersOf(scan: ProcessScan, initPid: number): readonly number[] {
  const init = scan.processes.find(({ pid }) => pid === initPid);
  const members = new Set([initPid]);
  const isFirst = !scan.processes.some(
    ({ pids, startTicks }) =>
      pids !== undefined && pids === init?.pids && (startTicks ?? 0) < (init.startTicks ?? 0),
  );
  for (const { pid, mount, pids } of scan.processes) {
    const sharesPids =
      isFirst && pids !== undefined && pids !== scan.ownPidNamespace && pids === init?.pids;
    if ((mount !== undefined && mount === init?.mount) || sharesPids) members.add(pid);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parentPid } of scan.processes) {
      if (members.has(pid) || parentPid === undefined || !members.has(parentPid)) continue;
      members.add(pid);
      grew = true;
    }
  }
  return [...members];
}

async function scanProcess(pid: number): Promise<ScannedProcess> {
  const [namespaces, stat] = await Promise.all([namespacesOf(pid), readStat(pid)]);
  return { pid, ...namespaces, parentPid: stat?.parentPid, startTicks: stat?.startTicks };
}

async function namespacesOf(pid: number | 'self'): Promise<Namespaces> {
  const [mount, pids] = await Promise.all(
    ['mnt', 'pid'].map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined)),
  );
  return { mount, pids };
}
