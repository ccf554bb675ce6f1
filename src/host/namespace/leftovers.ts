/** Finding and ending what is left of a machine: the last line of "nothing is left behind". */
import { readFileSync } from 'node:fs';
import { identify, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { listPids, processesInUserNamespace } from '../../sys/proc/process-table.ts';
import { endProcess } from '../process-end.ts';
import { namespaceInode } from './anchor.ts';
import { MACHINE_MARK } from './machine-mark.ts';

/** A machine can start processes while it is being ended (a shell loop in a container), so one pass is not enough. */
const MAX_PASSES = 20;

/** User namespaces in which a process of this runtime directory runs. Never our own. */
export async function findMachineNamespaces(execRoot: string): Promise<ReadonlySet<number>> {
  // Read as latin1: the path is compared byte by byte, whatever its encoding.
  const mark = Buffer.from(`${MACHINE_MARK}=${execRoot}`).toString('latin1');
  const own = namespaceInode(process.pid, 'user');
  const found = new Set<number>();
  for (const pid of await listPids()) {
    const namespace = namespaceOfMarked(pid, mark);
    if (namespace !== undefined && namespace !== own) found.add(namespace);
  }
  return found;
}

/**
 * Kills every process of a user namespace except `spared`, until there are none. Resolves to how many there were.
 * Container processes die with the init of their process namespace.
 */
export async function sweepUserNamespace(
  userNamespace: number,
  spared?: ProcessIdentity,
): Promise<number> {
  let killed = 0;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const found = await processesInUserNamespace(userNamespace);
    const victims = found.filter(({ pid }) => pid !== spared?.pid);
    if (victims.length === 0) return killed;
    killed += victims.length;
    await Promise.all(victims.map((victim) => endProcess(victim, 0)));
  }
  return killed;
}

/** Processes that were started with one of these arguments. */
export async function findProcessesWithArgument(
  wanted: readonly string[],
): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const pid of await listPids()) {
    if (!argumentsOf(pid).some((argument) => wanted.includes(argument))) continue;
    const identity = await identify(pid);
    if (identity !== undefined) found.push(identity);
  }
  return found;
}

/** Empty for a process that has ended. */
function argumentsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Synchronous: a small read of /proc takes less time than handing it to another thread. */
function namespaceOfMarked(pid: number, mark: string): number | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
    return environment.split('\0').includes(mark) ? namespaceInode(pid, 'user') : undefined;
  } catch {
    // Processes of other users cannot be read, and any process may end meanwhile: neither is ours to find.
    return undefined;
  }
}
