/** Finding processes and what they weigh. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { errnoCode, isMissing } from '../system-errors.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';

/** Pids of all processes that `/proc` shows. */
export async function listPids(): Promise<readonly number[]> {
  const names = await readdir('/proc');
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}

/**
 * Processes whose user namespace has this inode (`namespaceInode('/proc/PID/ns/user')`); those that end while we
 * look, and those we may not look at, are left out.
 */
export async function processesInUserNamespace(
  nsInode: number,
): Promise<readonly ProcessIdentity[]> {
  const found = await Promise.all(
    (await listPids()).map(async (pid) =>
      (await userNamespaceOf(pid)) === nsInode ? await identify(pid) : undefined,
    ),
  );
  return found.filter((identity) => identity !== undefined);
}

/**
 * Proportional set size in bytes: memory with shared pages divided among their users. Undefined when the process
 * has gone or may not be looked at.
 */
export async function readPssBytes(pid: number): Promise<number | undefined> {
  const text = await readVisible(`/proc/${pid}/smaps_rollup`);
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(text ?? '')?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

async function userNamespaceOf(pid: number): Promise<number | undefined> {
  try {
    return (await stat(`/proc/${pid}/ns/user`)).ino;
  } catch (error) {
    if (isInvisible(error)) return undefined;
    throw error;
  }
}

/** Text of a file under `/proc`; undefined when it has gone with its process or may not be read. */
export async function readVisible(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isInvisible(error)) return undefined;
    throw error;
  }
}

function isInvisible(error: unknown): boolean {
  return isMissing(error) || ['EACCES', 'EPERM'].includes(errnoCode(error) ?? '');
}
