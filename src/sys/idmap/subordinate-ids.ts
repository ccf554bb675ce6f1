/** Ids that the administrator granted to a user: subuid(5) and subgid(5). */
import { readFile } from 'node:fs/promises';
import { isMissing } from '../system-errors.ts';
import { type IdRange, subtractRanges } from './id-ranges.ts';

/** Whose ids are meant; the files may name the user either way. */
export interface SubordinateOwner {
  readonly userName: string;
  readonly uid: number;
}

/** Granted user and group ids; empty where none were granted. */
export interface SubordinateIds {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

const SUBUID_FILE = '/etc/subuid';
const SUBGID_FILE = '/etc/subgid';
/** As many as one POSIX-like id space needs (0 to 65535, of which 0 is the caller). */
const USUAL_COUNT = 65_536;
/** Where distributions begin to grant ids (`SUB_UID_MIN` of login.defs(5)). */
const USUAL_START = 100_000;

/** Reads the grants of a user. A missing file grants nothing. */
export async function readSubordinateIds(owner: SubordinateOwner): Promise<SubordinateIds> {
  const [uids, gids] = await Promise.all([readOrEmpty(SUBUID_FILE), readOrEmpty(SUBGID_FILE)]);
  return { uids: parseSubordinateIds(uids, owner), gids: parseSubordinateIds(gids, owner) };
}

/**
 * Ranges for root, who may map any id and often is granted none: ids that exist here and are granted to nobody.
 */
export async function unclaimedIds(available: {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}): Promise<SubordinateIds> {
  const [uids, gids] = await Promise.all([readOrEmpty(SUBUID_FILE), readOrEmpty(SUBGID_FILE)]);
  return {
    uids: chooseUnclaimed(available.uids, parseAllRanges(uids)),
    gids: chooseUnclaimed(available.gids, parseAllRanges(gids)),
  };
}

/** Lines `name-or-uid:start:count` of one owner, in file order. Malformed lines grant nothing. */
export function parseSubordinateIds(text: string, owner: SubordinateOwner): readonly IdRange[] {
  return parseLines(text)
    .filter(({ name }) => name === owner.userName || name === String(owner.uid))
    .map(({ range }) => range);
}

/**
 * 65536 unclaimed ids from 100000 on where they exist, otherwise the largest unclaimed piece above 0 of a small
 * nested map; empty when there is nothing but id 0.
 */
export function chooseUnclaimed(
  available: readonly IdRange[],
  claimed: readonly IdRange[],
): readonly IdRange[] {
  const free = subtractRanges(available, [...claimed, { start: 0, count: 1 }]);
  const usual = subtractRanges(free, [{ start: 0, count: USUAL_START }]);
  const roomy = usual.find(({ count }) => count >= USUAL_COUNT);
  if (roomy !== undefined) return [{ start: roomy.start, count: USUAL_COUNT }];
  const [largest] = free.toSorted((a, b) => b.count - a.count);
  if (largest === undefined) return [];
  return [{ start: largest.start, count: Math.min(largest.count, USUAL_COUNT) }];
}

function parseAllRanges(text: string): readonly IdRange[] {
  return parseLines(text).map(({ range }) => range);
}

function parseLines(text: string): readonly { name: string; range: IdRange }[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^:#]+):(\d+):(\d+)\s*$/.exec(line);
    const [, name, start, count] = match ?? [];
    if (name === undefined || Number(count) === 0) return [];
    return [{ name, range: { start: Number(start), count: Number(count) } }];
  });
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
