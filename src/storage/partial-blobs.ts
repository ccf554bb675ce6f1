/**
 * Port: beginnings of blobs whose download broke off, kept for a time so that the next one goes on where it stopped.
 * They have no name among the blobs; what they become is checked against the digest as if every byte were fresh.
 */
import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.ts';

export interface PartialBlob {
  /** Digest of the whole blob. */
  readonly digest: Digest;
  /** Bytes that are there; all of them when only the name was taken away. */
  readonly sizeBytes: number;
  /** When they were written or used last, in milliseconds since the epoch. */
  readonly lastUsedMs: number;
}

/** Less than this is fetched again sooner than it is looked after. */
export const MIN_PARTIAL_BYTES = 1024 * 1024;

export interface PartialBlobs {
  list(): Promise<readonly PartialBlob[]>;
  /** The bytes that are there, from the first on; undefined when there are none. Counts as a use. */
  open(digest: Digest): Promise<{ sizeBytes: number; bytes: Readable } | undefined>;
  /** Takes its name from a blob and keeps the bytes. A small or missing blob is just removed. */
  setAside(digest: Digest): Promise<void>;
  /** Idempotent. */
  remove(digest: Digest): Promise<void>;
}
