/**
 * Port: root file systems as stacks of layers.
 *
 * A *committed* snapshot is immutable and named by its chainID. An *active* one is writable, has an owner's
 * key (a container id) and a committed parent. Unpacking a layer goes through `prepareLayer`, which gives a
 * directory to extract into, then `commit` makes it visible under its chainID in one step or `abandon`
 * removes it. Only this module invents mounts.
 */
import type { Digest } from '../oci/digest.ts';
import type { KeptId } from '../oci/kept-id.ts';
import type { LayerOwners } from './layer-owners.ts';
import type { SnapshotDiff } from './snapshot-diff.ts';

/**
 * How a layer's directory records that something of the layers below is gone.
 * `overlay`: a character device 0:0 in its place, and `user.overlay.opaque=y` on directories that hide all.
 * `files`: the `.wh.` entries of the archive themselves, as empty files.
 */
export type WhiteoutFormat = 'overlay' | 'files';

/** A layer being unpacked. Exactly one of `commit` and `abandon` is called. */
export interface LayerSlot {
  /** Absolute path of the directory to extract the layer into. */
  readonly dir: string;
  readonly whiteouts: WhiteoutFormat;
  /**
   * Makes the layer visible. `already-exists` when another pull was first; the slot is then removed. From now on
   * the layer survives the end of this program, but the disk gets it only later: after a power cut in between it
   * is not committed any more, though layers and active snapshots may still name it as their parent.
   */
  commit(layer: CommittedLayer): Promise<'committed' | 'already-exists'>;
  /** Removes everything extracted. Never throws. */
  abandon(): Promise<void>;
}

export interface CommittedLayer {
  readonly chainId: Digest;
  /** chainID of the layer below, which must be committed; undefined for the lowest one. */
  readonly parent: Digest | undefined;
  /** Sum of the sizes of the layer's files. */
  readonly sizeBytes: number;
  /** Owners that its files should have and cannot; none when left out. */
  readonly owners?: LayerOwners;
}

export interface Snapshotter {
  /** `overlay`, `fuse-overlayfs` or `copy`: docker info's storage driver. */
  readonly name: string;
  hasCommitted(chainId: Digest): Promise<boolean>;
  /** Room for one layer; layers of one image may be extracted side by side, in any order. */
  prepareLayer(): Promise<LayerSlot>;
  /** Size of a committed layer's files in bytes. */
  committedSize(chainId: Digest): Promise<number>;
  /** Sum of the sizes of a committed layer and of all that it stands on. */
  stackSize(chainId: Digest): Promise<number>;
  /** Removes a committed snapshot. `conflict` while another snapshot has it as its parent. Idempotent. */
  removeCommitted(chainId: Digest): Promise<void>;
  listCommitted(): Promise<readonly Digest[]>;

  /** Makes the writable snapshot of `key` on `parent` (undefined: empty). `conflict` when the key exists. */
  prepareActive(key: string, parent: Digest | undefined): Promise<void>;
  /**
   * From now on mounts of the active snapshot show its owners as a container sees them that keeps `kept`. To be called
   * while it is not mounted. `unavailable` when that cannot be done here.
   */
  keepIds(key: string, kept: KeptId): Promise<void>;
  /** What `keepIds` was called with. */
  keptIds(key: string): KeptId | undefined;
  /** Mounts the active snapshot at its own mount point and returns that absolute path. Idempotent. */
  mount(key: string): Promise<string>;
  /** Idempotent. */
  unmount(key: string): Promise<void>;
  /**
   * Makes a committed layer of what was written in an active snapshot and removes that: all of it counts. Where it can,
   * the files are not copied. The layer's parent is the snapshot's. Not for snapshots that keep ids.
   */
  commitActive(
    key: string,
    layer: Pick<CommittedLayer, 'chainId' | 'sizeBytes'>,
  ): Promise<'committed' | 'already-exists'>;
  /** Unmounts and removes an active snapshot. Idempotent. The bytes may be freed a little later. */
  removeActive(key: string): Promise<void>;
  listActive(): Promise<readonly string[]>;
  /** Owners that files of the layers below the active snapshot should have and cannot. `not-found` for an unknown key. */
  ownersBelow(key: string): Promise<LayerOwners>;
  /** Bytes written in the active snapshot. */
  activeSize(key: string): Promise<number>;
  /**
   * What was written in the active snapshot. `leftOut` are absolute paths that do not count, with all that is below
   * them. `not-found` for an unknown key.
   */
  diff(key: string, leftOut: readonly string[]): SnapshotDiff;
}
