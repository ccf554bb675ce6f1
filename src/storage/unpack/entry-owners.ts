/**
 * Owners of extracted entries. An id that the user namespace does not map is replaced by one that it does: nobody's,
 * or root's where there is nobody; what the image says is kept for those who hand the files on.
 */
import { systemCode } from '../../shared/errors.ts';
import type { FileOwner } from '../layer-owners.ts';
import { ownerNotMapped } from '../storage-errors.ts';
import type { TarEntry } from '../tar/tar-entry.ts';

/** The kernel's own id for owners that it cannot express (`overflowuid` of proc(5)). */
const NOBODY = 65_534;
const ROOT = 0;
/** Ids that may stand for others. */
export const STAND_INS: ReadonlySet<number> = new Set([NOBODY, ROOT]);

type Change = (uid: number, gid: number) => void;
type Owned = Pick<TarEntry, 'name' | 'uid' | 'gid'>;

export class EntryOwners {
  /** What stands for each id that is not mapped. */
  readonly #uids = new Map<number, number>();
  readonly #gids = new Map<number, number>();
  #hasReplaced = false;

  /** True when the last entry has another owner than the image says. */
  get hasReplaced(): boolean {
    return this.#hasReplaced;
  }

  /** Runs `change` with the owner of the entry, or with what stands for it. */
  apply(entry: Owned, change: Change): void {
    this.#hasReplaced = this.#uids.has(entry.uid) || this.#gids.has(entry.gid);
    if (!this.#hasReplaced && succeeds(change, entry)) return;
    this.#hasReplaced = true;
    const uid = standInFor(this.#uids, entry.uid, (id) => succeeds(change, { uid: id, gid: ROOT }));
    const gid = standInFor(this.#gids, entry.gid, (id) => succeeds(change, { uid: ROOT, gid: id }));
    if (!succeeds(change, { uid, gid })) throw ownerNotMapped(entry.name, entry);
  }
}

/** The id itself where it is mapped; otherwise what is remembered, or the first that works. */
function standInFor(
  known: Map<number, number>,
  wanted: number,
  works: (id: number) => boolean,
): number {
  const before = known.get(wanted);
  if (before !== undefined) return before;
  const found = [wanted, NOBODY].find(works) ?? ROOT;
  if (found !== wanted) known.set(wanted, found);
  return found;
}

function succeeds(change: Change, { uid, gid }: FileOwner): boolean {
  try {
    change(uid, gid);
    return true;
  } catch (error) {
    // chown(2) with an id outside of the map of the caller's user namespace.
    if (systemCode(error) === 'EINVAL') return false;
    throw error;
  }
}
