/**
 * Port: blobs named by their digest, in an OCI image layout. A blob is visible only once its bytes are on
 * disk, synced, and proved to match its digest; until then it is an ingest that nobody else sees.
 */
import type { Readable } from 'node:stream';
import type { Digest } from '../oci/digest.ts';
import type { PartialBlobs } from './partial-blobs.ts';

export interface ExpectedBlob {
  readonly digest: Digest;
  /** Checked when given. */
  readonly sizeBytes?: number;
}

/** A blob that is written but has no name yet. `publish` brings it to disk first. */
export interface StagedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  publish(): Promise<'written' | 'already-exists'>;
  /** Never rejects. */
  discard(): Promise<void>;
}

/** What becomes of an ingest that does not come to its end. */
export interface IngestOptions {
  /**
   * Asked when `source` threw: true keeps what came so far, if it is worth it, among the partial blobs. Bytes that
   * do not match are never kept.
   */
  readonly keepsBeginning?: () => boolean;
  /** True for a source that can go on from any byte: what came is kept when the engine dies, too. */
  readonly isResumable?: boolean;
  /** Writes the blob although there is one of its name, which is damaged; until then that one stays. */
  readonly replaces?: boolean;
}

export interface ContentStore {
  /** Beginnings of blobs. An ingest that succeeds removes the one of its blob. */
  readonly partials: PartialBlobs;
  /** Size in bytes, or undefined when the blob is not there. */
  stat(digest: Digest): Promise<number | undefined>;
  /** Reads the whole blob and computes its digest. */
  verify(digest: Digest): Promise<'whole' | 'damaged' | 'missing'>;
  /** Whole blob in memory; `corrupt` when larger than `maxBytes`, `not-found` when missing. */
  read(digest: Digest, maxBytes: number): Promise<Uint8Array>;
  /** The blob as a stream, from byte `offset` (0) on. `not-found` when missing. */
  open(digest: Digest, offset?: number): Promise<Readable>;
  /**
   * Writes a blob. Rejects with `corrupt` when the bytes do not match, `unavailable` when the disk is full;
   * then nothing remains. A blob that is there already answers `already-exists`.
   */
  ingest(
    expected: ExpectedBlob,
    source: AsyncIterable<Uint8Array>,
    options?: IngestOptions,
  ): Promise<'written' | 'already-exists'>;
  /**
   * Writes a blob whose digest is known only at its end. Nobody sees it before `publish`; one of `publish` and
   * `discard` is called. Rejects like `ingest`.
   */
  stage(source: AsyncIterable<Uint8Array>): Promise<StagedBlob>;
  /**
   * Makes a blob of a file whose digest is proven, without copying where the file system can do that. The file keeps
   * its name and must not be written to any more. Rejects like `ingest`.
   */
  adopt(digest: Digest, path: string): Promise<'written' | 'already-exists'>;
  /** Idempotent. */
  remove(digest: Digest): Promise<void>;
  list(): Promise<readonly Digest[]>;
  /** Removes ingests left by a crash, apart from what a download can go on with; returns how many. */
  removeStaleIngests(): Promise<number>;
}
