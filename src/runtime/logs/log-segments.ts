/**
 * The files of one log. `container.log` is what the monitor writes now; when it is rotated it gets the next number,
 * `container.log.7`, which it keeps until it is removed: readers then know what follows on what they have read. A
 * numbered file may be compressed (`container.log.7.gz`).
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing } from '../../sys/system-errors.ts';

const COMPRESSED = '.gz';

/** One file of a log. */
export interface LogSegment {
  readonly path: string;
  /** Ascending with age's end; that of the file being written is one more than the newest number in a name. */
  readonly number: number;
  readonly isCompressed: boolean;
}

/** An opened file of a log. */
export interface OpenSegment extends LogSegment {
  readonly file: FileHandle;
}

/** Path of segment `number` once it is rotated. */
export function rotatedPath(logPath: string, number: number): string {
  return `${logPath}.${number}`;
}

/** The rotated files, oldest first. */
export async function rotatedSegments(logPath: string): Promise<readonly LogSegment[]> {
  const dir = dirname(logPath);
  const prefix = `${basename(logPath)}.`;
  const names = await readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  const found = new Map<number, LogSegment>();
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const match = /^([1-9]\d*)(\.gz)?$/.exec(name.slice(prefix.length));
    if (match === null) continue;
    const number = Number(match[1]);
    const isCompressed = match[2] === COMPRESSED;
    // Both are there until the original of a compressed file is removed; it is whole and quicker to read.
    if (isCompressed && found.has(number)) continue;
    found.set(number, { path: join(dir, name), number, isCompressed });
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/**
 * Opens the files with number `from` and later, oldest first, as they were at one moment between rotations. The
 * caller closes them.
 */
export async function openSegments(logPath: string, from: number): Promise<OpenSegment[]> {
  for (;;) {
    const opened = await tryOpen(logPath, from);
    if (opened !== undefined) return opened;
  }
}

/** Undefined when a rotation or a removal came in between. */
async function tryOpen(logPath: string, from: number): Promise<OpenSegment[] | undefined> {
  const rotated = await rotatedSegments(logPath);
  const opened: OpenSegment[] = [];
  const next = (rotated.at(-1)?.number ?? 0) + 1;
  const present = { path: logPath, number: next, isCompressed: false };
  try {
    for (const segment of [...rotated, present]) {
      if (segment.number < from) continue;
      const file = await openIfThere(segment.path);
      if (file !== undefined) opened.push({ ...segment, file });
      else if (segment !== present) return await given(opened);
    }
    const [last, before] = [opened.at(-1), opened.at(-2)];
    // Linked under its number already, but the monitor has not made its new file yet.
    if (last !== undefined && before !== undefined && (await isSame(last.file, before.file))) {
      opened.pop();
      await last.file.close();
    }
    const after = await rotatedSegments(logPath);
    return (after.at(-1)?.number ?? 0) + 1 === next ? opened : await given(opened);
  } catch (error) {
    await given(opened);
    throw error;
  }
}

async function given(opened: readonly OpenSegment[]): Promise<undefined> {
  await Promise.all(opened.map(({ file }) => file.close()));
  return undefined;
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function isSame(one: FileHandle, other: FileHandle): Promise<boolean> {
  const [first, second] = await Promise.all([one.stat(), other.stat()]);
  return first.ino === second.ino;
}

/** Whether `file` is still what the monitor writes to, or will be: nothing follows on it. */
export async function isPresent(logPath: string, file: FileHandle): Promise<boolean> {
  try {
    const [named, opened] = await Promise.all([stat(logPath), file.stat()]);
    return named.ino === opened.ino;
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
}
