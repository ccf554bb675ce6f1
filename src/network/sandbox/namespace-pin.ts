/** The file that keeps a network namespace alive without a process. */
import { statfsSync } from 'node:fs';
import { systemCode } from '../../shared/errors.ts';

/** `NSFS_MAGIC` of statfs(2). */
const NAMESPACE_FILE_SYSTEM = 0x6e736673;

/** True when a namespace is mounted at `path`; false for a plain file, as after a reboot, or none. */
export function isPinned(path: string): boolean {
  try {
    return statfsSync(path).type === NAMESPACE_FILE_SYSTEM;
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}
