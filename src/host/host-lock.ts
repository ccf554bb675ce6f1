/** The lock that makes the host the only one of its runtime directory. */
import { readFileSync, writeFileSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLock } from '../sys/lock/file-lock.ts';
import type { RuntimePaths } from '../sys/paths.ts';
import { alreadyRunning } from './host-errors.ts';

/** Held from the first to the last act of a host. The kernel lets go of it when the host dies. */
export class HostLock {
  readonly #paths: RuntimePaths;
  readonly #lock: FileLock;

  private constructor(paths: RuntimePaths, lock: FileLock) {
    this.#paths = paths;
    this.#lock = lock;
  }

  /** Takes the lock and writes our pid into its file, for messages. `conflict` naming the holder when it is taken. */
  static async acquire(paths: RuntimePaths): Promise<HostLock> {
    const lock = await FileLock.acquire(paths.hostLock);
    if (lock === undefined) throw alreadyRunning(paths.root, readHostPid(paths));
    writeFileSync(paths.hostLock, `${process.pid}\n`);
    return new HostLock(paths, lock);
  }

  /** Removes the runtime directory with everything in it, then lets go. */
  async releaseEmptied(): Promise<void> {
    const { root, hostLock } = this.#paths;
    try {
      for (const name of await readdir(root)) {
        const path = join(root, name);
        if (path !== hostLock) await rm(path, { recursive: true, force: true });
      }
    } finally {
      this.#lock.remove();
    }
    // Another host may have moved in by now: then the directory is not empty, and its own.
    await rmdir(root).catch(() => undefined);
  }

  /** Lets go and leaves everything as it is. */
  release(): void {
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
