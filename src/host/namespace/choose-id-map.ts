/** Deciding which ids the machine's user namespace gets. */
import type { IdMap } from '../../handshake/host-facts.ts';
import { availableIds, mappedIdCount, planIdMap } from '../../sys/idmap/id-map.ts';
import {
  readSubordinateIds,
  type SubordinateIds,
  unclaimedIds,
} from '../../sys/idmap/subordinate-ids.ts';
import { noSubordinateIds } from '../host-errors.ts';

/** What the decision rests on. */
export interface IdMapQuestion {
  readonly uid: number;
  readonly gid: number;
  readonly userName: string;
  readonly mode: 'auto' | 'subid' | 'single';
  /** Whether newuidmap and newgidmap are installed; root does without. */
  readonly hasMapHelpers: boolean;
}

/** The map, and what the user should know about it. */
export interface IdMapChoice {
  readonly idMap: IdMap;
  readonly warning?: string;
  /** What to do when the helpers refuse the map after all (no set-uid bit, a conflicting grant). */
  readonly fallback?: IdMap;
}

/**
 * Container root becomes the caller, 1… the caller's subordinate ids; one id alone when there are none or
 * `single` is asked for. `unavailable` with the cure when `subid` is asked for and cannot be had.
 */
export async function chooseIdMap(question: IdMapQuestion): Promise<IdMapChoice> {
  if (question.mode === 'single') return { idMap: singleIdMap(question) };
  const available = { uids: await availableIds('uid'), gids: await availableIds('gid') };
  const owner = { uid: question.uid, userName: question.userName };
  const granted = await readSubordinateIds(owner);
  const isRoot = question.uid === 0;
  const subordinate = isRoot && !isUsable(granted) ? await unclaimedIds(available) : granted;
  const idMap: IdMap = {
    mode: 'subid',
    uids: [
      ...planIdMap({
        callerId: question.uid,
        subordinate: subordinate.uids,
        available: available.uids,
      }),
    ],
    gids: [
      ...planIdMap({
        callerId: question.gid,
        subordinate: subordinate.gids,
        available: available.gids,
      }),
    ],
  };
  const why = obstacle(question, idMap);
  if (why === undefined) {
    return { idMap, ...(question.mode === 'auto' ? { fallback: singleIdMap(question) } : {}) };
  }
  if (question.mode === 'subid') throw noSubordinateIds(why);
  return {
    idMap: singleIdMap(question),
    warning: `containers have a single user id: ${why}`,
  };
}

/** Container root is the caller and nobody else exists. Needs no helper and no grant. */
export function singleIdMap(caller: { readonly uid: number; readonly gid: number }): IdMap {
  return {
    mode: 'single',
    uids: [{ inside: 0, outside: caller.uid, count: 1 }],
    gids: [{ inside: 0, outside: caller.gid, count: 1 }],
  };
}

/** Why the map cannot be had, with the cure. */
function obstacle(question: IdMapQuestion, idMap: IdMap): string | undefined {
  if (mappedIdCount(idMap.uids) < 2 || mappedIdCount(idMap.gids) < 2) {
    const { userName } = question;
    return `user ${userName} has no subordinate ids; an administrator can grant them with "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${userName}"`;
  }
  if (!question.hasMapHelpers && question.uid !== 0) {
    return 'newuidmap and newgidmap are not installed; install the package uidmap (Debian) or shadow-utils (Fedora)';
  }
  return undefined;
}

function isUsable(ids: SubordinateIds): boolean {
  return ids.uids.length > 0 && ids.gids.length > 0;
}
