/** Which processes live in a user namespace. */
import { stat } from 'node:fs/promises';
import { errnoCode, isMissing } from '../system-errors.ts';
import { listPids } from './process-table.ts';

/**
 * Pids of the processes whose user namespace has this inode (that of `/proc/PID/ns/user`). Processes that end
 * meanwhile, and those that this process may not look at, are left out; so are children of nested namespaces.
 */
export async function processesInUserNamespace(nsInode: number): Promise<readonly number[]> {
  const pids = await listPids();
  const namespaces = await Promise.all(pids.map(userNamespaceOf));
  return pids.filter((_, position) => namespaces[position] === nsInode);
}

async function userNamespaceOf(pid: number): Promise<number | undefined> {
  try {
    return (await stat(`/proc/${pid}/ns/user`)).ino;
  } catch (error) {
    if (isMissing(error) || ['EACCES', 'EPERM'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}
