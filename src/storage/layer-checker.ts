/** Port: whether the files of unpacked layers still are what their blobs say, and what to do when they are not. */
import type { Digest } from '../oci/digest.ts';

export interface BrokenActive {
  readonly key: string;
  readonly problem: string;
  readonly cure: string;
}

export interface LayerComparison {
  /** Compares the contents of files as well, which reads all of them. */
  readonly deep: boolean;
  /** So many differences are told at most. */
  readonly most: number;
}

export interface LayerChecker {
  /**
   * What differs between the files of a committed layer and the archive in its blob: names, types, sizes, modes,
   * owners, times of files, link targets. Empty when all is well. `not-found` for an unknown layer, `corrupt` for an
   * archive that cannot be read.
   */
  compare(
    chainId: Digest,
    blob: AsyncIterable<Uint8Array>,
    options: LayerComparison,
  ): Promise<readonly string[]>;
  /**
   * Takes a damaged layer away, whatever stands on it; it is to be unpacked again at once. `conflict` while it is
   * part of a mounted root file system.
   */
  discard(chainId: Digest): Promise<void>;
  /** Active snapshots that cannot be used: a layer is missing, or what shows their files is gone. */
  brokenActive(): Promise<readonly BrokenActive[]>;
}
