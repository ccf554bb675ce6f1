/** Port: from the bytes of a layer blob to files in a layer's directory. */
import type { Digest } from '../oci/digest.ts';
import type { LayerOwners } from './layer-owners.ts';
import type { LayerSlot } from './snapshotter.ts';

export interface LayerToUnpack {
  /** Says how the tar stream is packed. */
  readonly mediaType: string;
  /** Digest that the tar stream must have once unpacked; undefined for one that is being made. */
  readonly diffId: Digest | undefined;
  /** Bytes of the blob, where they are known. */
  readonly sizeBytes?: number;
}

/** What is known of a layer once it is unpacked. */
export interface UnpackedLayer {
  /** Sum of the sizes of its files. */
  readonly sizeBytes: number;
  readonly entryCount: number;
  /** Device nodes that a user namespace cannot make: left out, as rootless Docker does. */
  readonly skippedDevices: number;
  /** Owners that the image names and this user namespace does not map: others stand in for them. */
  readonly owners: LayerOwners;
}

/** An unpacking in progress. One of `finish` and `abort` is called, once. */
export interface LayerUnpacking {
  /** Takes the next bytes of the blob; resolves when more can be taken. Rejects as soon as the layer is bad. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes were written. `corrupt` when the layer is cut short or is not the one with that diffID. */
  finish(): Promise<UnpackedLayer>;
  /** Lets go of everything; what was extracted stays in the slot. Idempotent, never rejects. */
  abort(): Promise<void>;
}

export interface LayerUnpacker {
  /** `not-implemented` for a compression that cannot be read. */
  begin(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, layer: LayerToUnpack): LayerUnpacking;
}
