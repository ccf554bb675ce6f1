/** Rotating what the monitor writes, without losing a byte: the monitor itself begins the new file. */
import { link, open, rm, stat } from 'node:fs/promises';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import type { KeptLog } from '../log-keeper.ts';
import { compressFile } from './compress-file.ts';
import { LogChanges } from './log-changes.ts';
import { isPresent, rotatedPath, rotatedSegments } from './log-segments.ts';

/** A monitor answers in a millisecond; one that is stopped or gone, never. */
const REOPEN_TIMEOUT_MS = 5_000;

/** True when the file being written has reached its limit. */
export async function isJournalFull({ logPath, policy }: KeptLog): Promise<boolean> {
  if (policy.maxBytes === undefined) return false;
  try {
    return (await stat(logPath)).size >= policy.maxBytes;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * Gives the file being written its number and has the monitor begin a new one. False when it did not: the file then
 * has two names, which readers know, until a monitor does. `reopen` tells the monitor; false when there is none.
 */
export async function rotateJournal(logPath: string, reopen: () => boolean): Promise<boolean> {
  await using present = await open(logPath, 'r');
  const newest = (await rotatedSegments(logPath)).at(-1);
  // An earlier try came as far as this.
  const isLinked = newest !== undefined && (await isSameFile(newest.path, logPath));
  if (!isLinked) await link(logPath, rotatedPath(logPath, (newest?.number ?? 0) + 1));
  const deadline = Date.now() + REOPEN_TIMEOUT_MS;
  const changes = new LogChanges(logPath, () => changes.notify());
  try {
    changes.notifyAt(deadline);
    if (!reopen()) return false;
    while (await isPresent(logPath, present)) {
      if (Date.now() >= deadline) return false;
      await changes.next();
    }
    return true;
  } finally {
    changes.close();
  }
}

/** Removes rotated files that are too many, and compresses the others. Only those before `segment` are touched. */
export async function tidyJournal({ logPath, policy }: KeptLog, segment: number): Promise<void> {
  const rotated = (await rotatedSegments(logPath)).filter(({ number }) => number < segment);
  // One stays at least: the next number is known from it, and a reader has time to finish.
  const kept = Math.max(policy.maxFiles - 1, 1);
  for (const { path } of rotated.slice(0, -kept)) {
    await rm(path, { force: true });
    // What a crash while compressing left.
    await rm(`${path}.gz`, { force: true });
  }
  if (!policy.compresses) return;
  for (const { path, isCompressed } of rotated.slice(-kept)) {
    if (!isCompressed) await compressFile(path);
  }
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  try {
    const [first, second] = await Promise.all([stat(one), stat(other)]);
    return first.ino === second.ino;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return false;
    throw error;
  }
}
