/** Whether the engine begins with a machine or takes over from an engine that has died in it. */
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { isMissing } from '../sys/system-errors.ts';

/**
 * True until `rememberMachine` was called in this machine. Machines are told apart by the inode of their user
 * namespace and the boot they belong to.
 */
export async function isNewMachine(markPath: string, bootId: string): Promise<boolean> {
  try {
    return (await readFile(markPath, 'utf8')) !== (await markOf(bootId));
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}

/** To be called once recovery is over: until then, another engine must do it all again. */
export async function rememberMachine(markPath: string, bootId: string): Promise<void> {
  await writeFile(markPath, await markOf(bootId), { mode: 0o600 });
}

async function markOf(bootId: string): Promise<string> {
  return `${bootId} ${await readlink('/proc/self/ns/user')}\n`;
}
