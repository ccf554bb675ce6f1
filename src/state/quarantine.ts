/** Putting aside documents that cannot be read, so that one bad file never stops the daemon. */
import { mkdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../shared/errors.ts';
import { syncDir, writeFileDurably } from '../sys/fs/durable.ts';

/** A document that was found unreadable at start. */
export interface QuarantinedDocument {
  readonly key: string;
  /** Where it was, or should have been. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;
  /** Where the file is now; undefined when there was no file to move. */
  readonly movedTo?: string;
}

/** An unreadable file and why it is. */
export interface UnreadableFile {
  readonly path: string;
  /** Name it gets in the quarantine directory, without extension. */
  readonly label: string;
  readonly reason: string;
}

/** Moves the file into `corruptDir` with a text file beside it that says why; returns its new path. */
export async function quarantine(file: UnreadableFile, corruptDir: string): Promise<string> {
  await mkdir(corruptDir, { recursive: true, mode: 0o700 });
  const target = await freePath(corruptDir, file.label);
  await writeFileDurably(`${target}.reason.txt`, `${file.path}\n${file.reason}\n`);
  await rename(file.path, target);
  await syncDir(corruptDir);
  await syncDir(dirname(file.path));
  return target;
}

async function freePath(dir: string, label: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = join(dir, attempt === 1 ? `${label}.json` : `${label}.${attempt}.json`);
    if (!(await exists(path))) return path;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
