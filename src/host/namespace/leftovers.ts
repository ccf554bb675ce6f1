/** Finding and ending what is left of a machine: the last line of "nothing is left behind". */
import { readFile } from 'node:fs/promises';
import type { ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { listPids, processesInUserNamespace } from '../../sys/proc/process-table.ts';
import { endProcess } from '../process-end.ts';
import { namespaceInode } from './anchor.ts';
import { MACHINE_MARK } from './machine-mark.ts';

/** A machine can start processes while it is being ended (a shell loop in a container), so one pass is not enough. */
const MAX_PASSES = 20;

/** User namespaces in which a process of this runtime directory runs. Never our own. */
export async function findMachineNamespaces(execRoot: string): Promise<ReadonlySet<number>> {
  const mark = `${MACHINE_MARK}=${execRoot}`;
  const own = namespaceInode(process.pid, 'user');
  const found = new Set<number>();
  for (const pid of await listPids()) {
    const namespace = await namespaceOfMarked(pid, mark);
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

async function namespaceOfMarked(pid: number, mark: string): Promise<number | undefined> {
  try {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
    return environment.split('\0').includes(mark) ? namespaceInode(pid, 'user') : undefined;
  } catch {
    // Processes of other users cannot be read, and any process may end meanwhile: neither is ours to find.
    return undefined;
  }
}
