/** Makes a directory of an image appear whole or not at all. */
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDir, temporaryNameFor } from '../sys/fs/durable.ts';
import { fromNodeError, isMissing } from '../sys/system-errors.ts';

/**
 * Lets `fill` fill a new directory, which then takes the place of `dir`. When it fails, or the program ends, `dir` is
 * as it was, or (in the moment between two renames) not there.
 */
export async function replaceDirectory<T>(
  dir: string,
  fill: (fresh: string) => Promise<T>,
): Promise<T> {
  const [fresh, old] = [temporaryNameFor(dir), temporaryNameFor(dir)];
  try {
    await mkdir(fresh, { recursive: true });
    await chmod(fresh, 0o700);
    const result = await fill(fresh);
    await syncDir(fresh);
    await moveAway(dir, old);
    await rename(fresh, dir);
    await syncDir(dirname(dir));
    return result;
  } catch (error) {
    throw fromNodeErrorOnly(error, `replace ${dir}`);
  } finally {
    await rm(fresh, { recursive: true, force: true });
    await rm(old, { recursive: true, force: true });
  }
}

async function moveAway(dir: string, old: string): Promise<void> {
  try {
    await rename(dir, old);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** Errors of ours stay as they are. */
function fromNodeErrorOnly(error: unknown, context: string): unknown {
  const isNodes = error instanceof Error && 'syscall' in error;
  return isNodes ? fromNodeError(error, context) : error;
}
