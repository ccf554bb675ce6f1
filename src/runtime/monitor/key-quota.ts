/**
 * The kernel's quota of keys (keyrings(7)). A runtime makes a session keyring for each container, and an ordinary
 * user may have 200 keys by default: without this, the two hundred and first container would not start.
 */
import { readFile } from 'node:fs/promises';
import { isMissing } from '../../sys/system-errors.ts';

const KEY_USERS = '/proc/key-users';
/** What is left to others of the same user, and to starts that happen at once. */
const SHARE = 0.5;
/** `uid: usage keys/instantiated own/most bytes/most`; containers' root is the user that pays. */
const OF_ROOT = /^\s*0:\s+\d+\s+\d+\/\d+\s+(\d+)\/(\d+)\s+(\d+)\/(\d+)\s*$/m;

/** True while a container can have a session keyring of its own; else it shares that of the engine. */
export async function hasRoomForKeyring(): Promise<boolean> {
  try {
    return leavesRoom(await readFile(KEY_USERS, 'utf8'));
  } catch (error) {
    // A kernel without keys.
    if (isMissing(error)) return true;
    throw error;
  }
}

/** The same from the text of `/proc/key-users`. Pure. */
export function leavesRoom(text: string): boolean {
  const [, keys, mostKeys, bytes, mostBytes] = OF_ROOT.exec(text) ?? [];
  if (keys === undefined) return true;
  const isBelow = (used = '0', most = '0') => Number(used) < Number(most) * SHARE;
  return isBelow(keys, mostKeys) && isBelow(bytes, mostBytes);
}
