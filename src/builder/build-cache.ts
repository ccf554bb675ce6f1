/**
 * Port: what earlier builds left, for `docker builder du`, `/system/df`, prune and the garbage collector. Which
 * records a build finds is the solver's own business.
 */

/** `regular`: the result of an instruction. `mount`: a directory of `RUN --mount=type=cache`. `context`: files of a client. */
export type CacheKind = 'regular' | 'exec.cachemount' | 'source.local' | 'source.git.checkout';

export interface CacheRecord {
  /** Unique. */
  readonly id: string;
  readonly parents: readonly string[];
  readonly kind: CacheKind;
  /** What made it, `[build 2/5] RUN make`. */
  readonly description: string;
  readonly sizeBytes: number;
  /** A build uses it now. */
  readonly inUse: boolean;
  /** An image or another record has the same layer: removing it frees nothing. */
  readonly shared: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; undefined for one that was never used after it was made. */
  readonly lastUsedAt: string | undefined;
  readonly usageCount: number;
}

/** What may go. All conditions hold together. */
export interface CachePrune {
  /** Also what internal work and images share; without it only what can be freed and is dangling. */
  readonly all: boolean;
  /** Undefined for every record. */
  matches?(record: CacheRecord): boolean;
  /** Only records that nobody used for so long. */
  readonly unusedForMs?: number;
  /** Least recently used records go until no more than this is left; undefined for all to go. */
  readonly keepBytes?: number;
}

export interface PrunedCache {
  readonly ids: readonly string[];
  readonly reclaimedBytes: number;
}

export interface BuildCache {
  list(): Promise<readonly CacheRecord[]>;
  /** Never touches what a running build uses. */
  prune(prune: CachePrune): Promise<PrunedCache>;
}
