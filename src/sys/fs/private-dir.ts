/** Directories that nobody else may look into. */
import { chmod, mkdir } from 'node:fs/promises';
import { fromNodeError } from '../system-errors.ts';

/** Makes `path` and missing parents with mode 0700, whatever the umask; an existing directory stays as it is. */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    const made = await mkdir(path, { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(path, 0o700);
  } catch (error) {
    throw fromNodeError(error, `create directory ${path}`);
  }
}
