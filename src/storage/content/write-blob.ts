/** The bytes of a blob on their way to a file, measured and checked. */
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, DigestCounter } from '../../oci/digest.ts';
import type { ExpectedBlob } from '../content-store.ts';
import { writeFailed, wrongDigest, wrongSize } from '../storage-errors.ts';

/** Blobs never change, so nobody may write to them, not even by mistake. */
export const BLOB_MODE = 0o444;
/** So much is written before the disk is told to begin: the sync at the end then finds little to do. */
const EARLY_SYNC_BYTES = 16 * 1024 * 1024;

/** What a blob turned out to be. */
export interface WrittenBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

interface WriteOptions {
  readonly expected?: ExpectedBlob;
  /** `later`: whoever gives it a name syncs it before. */
  readonly sync: 'now' | 'later';
}

/**
 * Writes a file and brings it to disk once `expected`, if there is any, holds. Errors of `source` pass through as they
 * are; those of the disk are told apart from them.
 */
export async function writeBlob(
  path: string,
  source: AsyncIterable<Uint8Array>,
  { expected, sync }: WriteOptions,
): Promise<WrittenBlob> {
  const fail = (error: unknown): never => {
    throw writeFailed(`write blob ${expected?.digest ?? path}`, error);
  };
  const handle = await open(path, 'wx', BLOB_MODE).catch(fail);
  const earlySync = new EarlySync(handle);
  try {
    const counter = new DigestCounter();
    for await (const chunk of source) {
      counter.update(chunk);
      if (counter.sizeBytes > (expected?.sizeBytes ?? Number.POSITIVE_INFINITY)) {
        verify(expected, { digest: counter.digest(), sizeBytes: counter.sizeBytes });
      }
      await handle.writeFile(chunk).catch(fail);
      earlySync.wrote(chunk.length);
    }
    const written = { digest: counter.digest(), sizeBytes: counter.sizeBytes };
    verify(expected, written);
    if (sync === 'now') await handle.datasync().catch(fail);
    return written;
  } finally {
    await earlySync.settle();
    await handle.close();
  }
}

function verify(expected: ExpectedBlob | undefined, written: WrittenBlob): void {
  if (expected === undefined) return;
  const { digest, sizeBytes } = expected;
  if (sizeBytes !== undefined && written.sizeBytes !== sizeBytes) {
    throw wrongSize(digest, sizeBytes, written.sizeBytes);
  }
  if (written.digest !== digest) throw wrongDigest(digest);
}

/** Starts writing to disk while the rest of a large blob still arrives. */
class EarlySync {
  readonly #handle: FileHandle;
  #unsyncedBytes = 0;
  #running: Promise<void> | undefined;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  wrote(sizeBytes: number): void {
    this.#unsyncedBytes += sizeBytes;
    if (this.#unsyncedBytes < EARLY_SYNC_BYTES || this.#running !== undefined) return;
    this.#unsyncedBytes = 0;
    // A failure shows again in the sync at the end.
    this.#running = this.#handle
      .datasync()
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async settle(): Promise<void> {
    await this.#running;
  }
}
