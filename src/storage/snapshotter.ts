/**
 * Port: root file systems as stacks of layers.
 *
 * A *committed* snapshot is immutable and named by its chainID. An *active* one is writable, has an owner's
 * key (a container id) and a committed parent. Unpacking a layer goes through `prepareLayer`, which gives a
 * directory to extract into, then `commit` makes it visible under its chainID in one step or `abandon`
 * removes it. Only this module invents mounts.
 */
import type { Digest } from '../oci/digest.ts';

/** A layer being unpacked. Exactly one of `commit` and `abandon` is called. */
export interface LayerSlot {
  /** Absolute path of the directory to extract the layer into. */
  readonly dir: string;
  /** Makes the layer visible under `chainId` on top of `parent`. `already-exists` when another pull was first. */
  commit(chainId: Digest, parent: Digest | undefined): Promise<'committed' | 'already-exists'>;
  /** Removes everything extracted. Never throws. */
  abandon(): Promise<void>;
}

export interface Snapshotter {
  /** `overlay`, `fuse-overlayfs` or `copy`: docker info's storage driver. */
  readonly name: string;
  hasCommitted(chainId: Digest): Promise<boolean>;
  /** Room for one layer; layers of one image may be extracted side by side, in any order. */
  prepareLayer(): Promise<LayerSlot>;
  /** Size of a committed layer's files in bytes. */
  committedSize(chainId: Digest): Promise<number>;
  /** Removes a committed snapshot. `conflict` while another snapshot has it as its parent. Idempotent. */
  removeCommitted(chainId: Digest): Promise<void>;
  listCommitted(): Promise<readonly Digest[]>;

  /** Makes the writable snapshot of `key` on `parent` (undefined: empty). `conflict` when the key exists. */
  prepareActive(key: string, parent: Digest | undefined): Promise<void>;
  /** Mounts the active snapshot at its own mount point and returns that absolute path. Idempotent. */
  mount(key: string): Promise<string>;
  /** Idempotent. */
  unmount(key: string): Promise<void>;
  /** Unmounts and removes an active snapshot. Idempotent. The bytes may be freed a little later. */
  removeActive(key: string): Promise<void>;
  listActive(): Promise<readonly string[]>;
  /** Bytes written in the active snapshot. */
  activeSize(key: string): Promise<number>;
}
