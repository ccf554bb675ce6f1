/** Rotating what the monitor writes, without losing a byte: the monitor itself begins the new file. */
import { link, open, rm, stat } from 'node:fs/promises';
import { errnoCode, isMissing } from '../../sys/system-errors.ts';
import type { KeptLog, LogPolicy } from '../log-keeper.ts';
import { compressFile } from './compress-file.ts';
import { LogChanges } from './log-changes.ts';
import { isPresent, type LogSegment, rotatedPath, rotatedSegments } from './log-segments.ts';

/** A monitor answers in a millisecond; one that is stopped or gone, never. */
const REOPEN_TIMEOUT_MS = 5_000;

/** True when the file being written has reached its limit. */
export async function isJournalFull({ logPath, policy }: KeptLog): Promise<boolean> {
  return policy.maxBytes !== undefined && (await sizeOf(logPath)) >= policy.maxBytes;
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

/**
 * Removes rotated files that are too many. What the mirror has not taken yet (from `segment` on) stays, unless what
 * came after it fills all files that the mirror may keep: then the mirror would drop it as well.
 */
export async function dropOldest({ logPath, policy }: KeptLog, segment: number): Promise<void> {
  const rotated = await rotatedSegments(logPath);
  const taken = rotated.filter(({ number }) => number < segment);
  const waiting = rotated.slice(taken.length);
  const surplus = await surplusOf(waiting, policy);
  for (const { path } of [...taken.slice(0, -keptFiles(policy)), ...surplus]) {
    await rm(path, { force: true });
    // What a crash while compressing left.
    await rm(`${path}.gz`, { force: true });
  }
}

/** Compresses the rotated files before `segment`, when that is wished. */
export async function compressJournal(
  { logPath, policy }: KeptLog,
  segment: number,
): Promise<void> {
  if (!policy.compresses) return;
  const rotated = (await rotatedSegments(logPath)).filter(({ number }) => number < segment);
  for (const { path, isCompressed } of rotated.slice(-keptFiles(policy))) {
    if (!isCompressed) await compressFile(path);
  }
}

/** One stays at least: the next number is known from it, and a reader has time to finish. */
function keptFiles({ maxFiles }: LogPolicy): number {
  return Math.max(maxFiles - 1, 1);
}

/** Those files that are followed by more than the limits allow in all, and a file beyond that. */
async function surplusOf(
  waiting: readonly LogSegment[],
  { maxBytes = Number.POSITIVE_INFINITY, maxFiles }: LogPolicy,
): Promise<readonly LogSegment[]> {
  let bytes = 0;
  for (let index = waiting.length - 1; index >= 0; index--) {
    if (bytes > maxBytes * (maxFiles + 1)) return waiting.slice(0, index + 1);
    bytes += await sizeOf(waiting[index]?.path ?? '');
  }
  return [];
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
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
