/** Writes that survive a power cut: data first, then the name, then the directory that holds the name. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromNodeError } from '../system-errors.ts';

/** Names of half-written files; whoever opens a directory after a crash removes them. */
const TEMPORARY_NAME = /^\..+\.[0-9a-f]{16}\.tmp$/;

/**
 * What a power cut may do to a write that has resolved. `synced`: nothing. `ordered`: undo it as a whole, never
 * tear it; that saves the wait for the directory. The end of this program undoes neither.
 */
export type Durability = 'synced' | 'ordered';

/** How a durable write creates its file. */
export interface DurableWriteOptions {
  /** Permission bits of the new file. Default 0600. */
  readonly mode?: number;
  /** Default `synced`. */
  readonly durability?: Durability;
}

/**
 * Replaces a file so that a crash at any moment leaves the old or the new content, whole; when it resolves, the
 * new content stays (see `Durability`). On failure the old file is untouched and no temporary file remains.
 */
export async function writeFileDurably(
  path: string,
  bytes: Uint8Array | string,
  options: DurableWriteOptions = {},
): Promise<void> {
  const temporary = temporaryNameFor(path);
  try {
    await writeSynced(temporary, bytes, options.mode ?? 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fromNodeError(error, `write ${path}`);
  }
  if (options.durability !== 'ordered') await syncDir(dirname(path));
}

/** Renames within one file system and makes the new name durable (both directories when they differ). */
export async function renameDurably(
  from: string,
  to: string,
  durability: Durability = 'synced',
): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw fromNodeError(error, `rename ${from}`);
  }
  if (durability === 'ordered') return;
  await syncDir(dirname(to));
  if (dirname(from) !== dirname(to)) await syncDir(dirname(from));
}

/** Makes the names in a directory durable (fsync(2): syncing a file does not sync its directory entry). */
export async function syncDir(dir: string): Promise<void> {
  // Windows opens no directories, and its file system writes names in order by itself.
  if (process.platform === 'win32') return;
  try {
    const handle = await open(dir, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fromNodeError(error, `sync ${dir}`);
  }
}

/** Brings the bytes of a file to disk that somebody else has written. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** A hidden, random name beside `path`. */
export function temporaryNameFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}.tmp`);
}

/** True for a file name that `temporaryNameFor` made. */
export function isTemporaryName(name: string): boolean {
  return TEMPORARY_NAME.test(name);
}

async function writeSynced(path: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    // datasync: of a new file it also brings the size to disk, which is all that reading it back needs.
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
