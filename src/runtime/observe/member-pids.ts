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
 * the own one of its first process; who joined it later has no claim on the others, and the first none on who joined.
 */
export function membersOf(scan: ProcessScan, initPid: number): readonly number[] {
  const init = scan.processes.find(({ pid }) => pid === initPid);
  const foreign = init === undefined ? new Set() : joinersMounts(scan, init);
  const isForeign = ({ mount }: ScannedProcess) => mount !== undefined && foreign.has(mount);
  const candidates = scan.processes.filter((one) => !isForeign(one));
  const members = new Set([initPid]);
  const isFirst = !scan.processes.some(
    ({ pids, startTicks }) =>
      pids !== undefined && pids === init?.pids && (startTicks ?? 0) < (init.startTicks ?? 0),
  );
  for (const { pid, mount, pids } of candidates) {
    const sharesPids =
      isFirst && pids !== undefined && pids !== scan.ownPidNamespace && pids === init?.pids;
    if ((mount !== undefined && mount === init?.mount) || sharesPids) members.add(pid);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parentPid } of candidates) {
      if (members.has(pid) || parentPid === undefined || !members.has(parentPid)) continue;
      members.add(pid);
      grew = true;
    }
  }
  return [...members];
}

/**
 * Mount namespaces of the containers that joined init's pid namespace: those of processes in it whose parent is
 * outside. Sessions of the container itself have such parents too, and init's mounts.
 */
function joinersMounts(scan: ProcessScan, init: ScannedProcess): ReadonlySet<string> {
  const namespaceOf = new Map(scan.processes.map(({ pid, pids }) => [pid, pids]));
  const joiners = scan.processes.filter(
    ({ pids, parentPid, mount }) =>
      pids !== undefined &&
      pids === init.pids &&
      mount !== init.mount &&
      namespaceOf.get(parentPid ?? 0) !== pids,
  );
  return new Set(joiners.flatMap(({ mount }) => (mount === undefined ? [] : [mount])));
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
