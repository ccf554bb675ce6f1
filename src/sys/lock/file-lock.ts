/** A kernel lock on a file: gone when its holder is, however it went. */
import { closeSync, constants, fstatSync, openSync, rmSync, statSync } from 'node:fs';
import { FlockFlag, flock } from '../libc.ts';
import { fromNodeError } from '../system-errors.ts';

/** A lock that is held until released, or until this process ends. */
export class FileLock implements Disposable {
  #fd: number | undefined;
  readonly #path: string;

  private constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /**
   * Takes the lock, making the file (0600) when it is missing; undefined when somebody else holds it. The file's
   * content belongs to the holder and is never judged: only the kernel knows who holds the lock.
   */
  static async acquire(path: string): Promise<FileLock | undefined> {
    for (;;) {
      const fd = openLockFile(path);
      try {
        if (!flock(fd, FlockFlag.exclusive | FlockFlag.nonBlocking)) {
          closeSync(fd);
          return undefined;
        }
        // Its last holder may have removed the file between our opening and locking it.
        if (isFileAt(path, fd)) return new FileLock(fd, path);
      } catch (error) {
        closeSync(fd);
        throw error;
      }
      closeSync(fd);
    }
  }

  /** Lets go; the file stays. Idempotent. */
  release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** Removes the file and lets go. Whoever opened it before looks again in `acquire`. Idempotent. */
  remove(): void {
    if (this.#fd !== undefined) rmSync(this.#path, { force: true });
    this.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

function isFileAt(path: string, fd: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const held = fstatSync(fd);
  return named !== undefined && named.ino === held.ino && named.dev === held.dev;
}

function openLockFile(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    throw fromNodeError(error, `open lock file ${path}`);
  }
}
