/** Who files belong to in their image, where others stand in for those owners here. */
import type { LayerOwners } from '../layer-owners.ts';
import { STAND_INS } from '../unpack/entry-owners.ts';
import type { OwnerOf } from './tar-entries.ts';

/**
 * A changed file has the owner of the file that it was copied from. Where another owner stands in for the one of the
 * image, and nobody has changed that since, an archive gets the image's. Paths are those of `below`, directories perhaps
 * with a slash at their end.
 */
export function originalOwner(below: LayerOwners): OwnerOf {
  return (as, here) => {
    const original = below.get(as.replace(/\/$/, ''));
    if (original === undefined) return here;
    const standsIn = (id: number) => STAND_INS.has(id);
    return {
      uid: standsIn(here.uid) ? original.uid : here.uid,
      gid: standsIn(here.gid) ? original.gid : here.gid,
    };
  };
}
