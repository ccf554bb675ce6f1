/** The file that is the guest's data disk. Only the guest formats it, and only when nothing was ever written to it. */
import { type FileHandle, open } from 'node:fs/promises';
import { errnoCode, fromNodeError } from '../../sys/system-errors.ts';
import { unusableDisk } from './vm-errors.ts';

/**
 * Makes the file when it is missing, sparse and with mode 0600; makes a smaller one larger. `unavailable` for anything
 * that is not a regular file. What is in it is never touched.
 */
export async function ensureDataDisk(path: string, sizeBytes: number): Promise<void> {
  const file = await openOrMake(path);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw unusableDisk(path, 'it is not a regular file');
    if (found.size < sizeBytes) await file.truncate(sizeBytes);
  } finally {
    await file.close();
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw fromNodeError(error, `open ${path}`);
  }
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw fromNodeError(error, `create ${path}`);
  }
}
