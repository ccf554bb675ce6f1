/**
 * Stops what comes from elsewhere before it takes the last of the disk: a few kilobytes of gzip or zstd can unpack to
 * any number of bytes, and what fills up is also what containers and the user's other programs write to.
 */
import { statfs } from 'node:fs/promises';
import type { EngineError } from '../../shared/errors.ts';

/** The disk is asked again after so many unpacked bytes at the latest. */
const LONGEST_INTERVAL_BYTES = 16 * 1024 * 1024;
/** What stays free: a fiftieth of the disk, and no more than this. */
const LARGEST_RESERVE_BYTES = 256 * 1024 * 1024;
const RESERVE_SHARE = 50;

export class SpaceGuard {
  readonly #dir: string;
  readonly #refusal: (freeBytes: number) => EngineError;
  /** Bytes that may be written before the disk is asked again. */
  #unasked = 0;

  /** `dir` is a directory of the disk that is written to; `refusal` is what is thrown when it gets tight. */
  constructor(dir: string, refusal: (freeBytes: number) => EngineError) {
    this.#dir = dir;
    this.#refusal = refusal;
  }

  /** To be called after each piece; undefined when there is nothing to wait for. */
  wrote(sizeBytes: number): Promise<void> | undefined {
    this.#unasked -= sizeBytes;
    return this.#unasked > 0 ? undefined : this.#ask();
  }

  async #ask(): Promise<void> {
    const { bavail, blocks, bsize } = await statfs(this.#dir);
    const reserve = Math.min((blocks * bsize) / RESERVE_SHARE, LARGEST_RESERVE_BYTES);
    const spare = bavail * bsize - reserve;
    if (spare < 0) throw this.#refusal(bavail * bsize);
    this.#unasked = Math.min(spare / 2, LONGEST_INTERVAL_BYTES);
  }
}
