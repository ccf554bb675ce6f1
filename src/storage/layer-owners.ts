/** Who files belong to in an image when this machine's user namespace cannot say so. */

/** Ids inside a container. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Owners by path without leading slash; only of files that stand in a layer under another owner. */
export type LayerOwners = ReadonlyMap<string, FileOwner>;
