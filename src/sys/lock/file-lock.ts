/** A kernel lock on a file: gone when its holder is, however it went. */
import { closeSync, constants, openSync } from 'node:fs';
import { FlockFlag, flock } from '../libc.ts';
import { fromNodeError } from '../system-errors.ts';

/** A lock that is held until released, or until this process ends. */
export class FileLock implements Disposable {
  #fd: number | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Takes the lock, making the file (0600) when it is missing; undefined when somebody else holds it. The file's
   * content belongs to the holder and is never judged: only the kernel knows who holds the lock.
   */
  static async acquire(path: string): Promise<FileLock | undefined> {
    const fd = openLockFile(path);
    try {
      if (flock(fd, FlockFlag.exclusive | FlockFlag.nonBlocking)) return new FileLock(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
    return undefined;
  }

  /** Lets go. The file stays: removing it would let two holders lock two files of one name. Idempotent. */
  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw fromNodeError(error, `open lock file ${path}`);
  }
}
