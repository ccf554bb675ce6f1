/** The lock that makes the host the only one of its runtime directory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { FileLock } from '../sys/lock/file-lock.ts';
import type { RuntimePaths } from '../sys/paths.ts';
import { alreadyRunning } from './host-errors.ts';

/** Held from the first to the last act of a host. The kernel lets go of it when the host dies. */
export class HostLock {
  readonly #path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.#path = path;
    this.#lock = lock;
  }

  /** Takes the lock and writes our pid into its file, for messages. `conflict` naming the holder when it is taken. */
  static async acquire(paths: RuntimePaths): Promise<HostLock> {
    const lock = await FileLock.acquire(paths.hostLock);
    if (lock === undefined) throw alreadyRunning(paths.root, readHostPid(paths));
    writeFileSync(paths.hostLock, `${process.pid}\n`);
    return new HostLock(paths.hostLock, lock);
  }

  /** Lets go. The file stays, empty: removing it would let two hosts lock two files of one name. */
  release(): void {
    writeFileSync(this.#path, '');
    this.#lock.release();
  }
}

/** The pid that the holder of the lock wrote; undefined when nobody did. Only for messages: it may be stale. */
export function readHostPid(paths: RuntimePaths): number | undefined {
  try {
    const pid = Number(readFileSync(paths.hostLock, 'latin1'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
