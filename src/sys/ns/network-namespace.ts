/**
 * Network namespaces, entered and made by the main thread itself. setns(2) and unshare(2) change only the calling
 * thread, and everything here returns before another line of this program runs, so the rest never notices.
 */
import { closeSync, constants, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { invariant } from '../../shared/errors.ts';
import { MountFlag, mount, UmountFlag, umount } from '../libc.ts';
import { checked, nativeFunction } from '../native.ts';
import { errnoCode, fromNodeError } from '../system-errors.ts';

const CLONE_NEWNET = 0x40000000;
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

const cSetns = nativeFunction('int setns(int fd, int type)');
const cUnshare = nativeFunction('int unshare(int flags)');

/**
 * Runs `action` inside a network namespace (a path such as a pin, or an open descriptor) and returns. `action`
 * must be synchronous and start no asynchronous work: sockets it opens and `/proc/sys/net` it writes are the
 * namespace's. When the way back fails, the process ends: going on in a container's network would be worse.
 */
export function withNetworkNamespace<T>(target: string | number, action: () => T): T {
  const home = openNamespace(OWN_NAMESPACE);
  const there = typeof target === 'number' ? target : openNamespaceOr(target, home);
  try {
    checked(cSetns(there, CLONE_NEWNET), 'setns', String(target));
    try {
      const result = action();
      invariant(
        !(result instanceof Promise),
        'work in another network namespace must be synchronous',
      );
      return result;
    } finally {
      returnTo(home);
    }
  } finally {
    if (typeof target !== 'number') closeSync(there);
    closeSync(home);
  }
}

/**
 * Makes a network namespace and pins it at `pinPath` (an empty file is made there), so that it lives without a
 * process. `EEXIST` when the path exists. Nothing remains on failure. Needs CAP_SYS_ADMIN in the user namespace.
 */
export function createNetworkNamespace(pinPath: string): void {
  createPinFile(pinPath);
  const home = openNamespace(OWN_NAMESPACE);
  try {
    checked(cUnshare(CLONE_NEWNET), 'unshare');
    try {
      mount({ source: OWN_NAMESPACE, target: pinPath, flags: MountFlag.bind });
    } finally {
      returnTo(home);
    }
  } catch (error) {
    rmSync(pinPath, { force: true });
    throw error;
  } finally {
    closeSync(home);
  }
}

/** Unpins a network namespace; it vanishes with its last process or socket. Idempotent. */
export function removeNetworkNamespace(pinPath: string): void {
  try {
    umount(pinPath, UmountFlag.detach | UmountFlag.noFollow);
  } catch (error) {
    // Not mounted: the pin is from before a reboot, or its removal was interrupted here.
    if (!['EINVAL', 'ENOENT'].includes(errnoCode(error) ?? '')) throw error;
  }
  rmSync(pinPath, { force: true });
}

/** The inode that tells one namespace from another, for a pin or a `/proc/PID/ns/…` link. */
export function namespaceInode(path: string): number {
  try {
    return statSync(path).ino;
  } catch (error) {
    throw fromNodeError(error, `stat ${path}`);
  }
}

function returnTo(home: number): void {
  try {
    checked(cSetns(home, CLONE_NEWNET), 'setns');
  } catch (error) {
    process.stderr.write(`cannot return from a network namespace: ${String(error)}\n`);
    process.abort();
  }
}

function openNamespaceOr(path: string, toClose: number): number {
  try {
    return openNamespace(path);
  } catch (error) {
    closeSync(toClose);
    throw error;
  }
}

function openNamespace(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (error) {
    throw fromNodeError(error, `open network namespace ${path}`);
  }
}

function createPinFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fromNodeError(error, `create ${path}`);
  }
}
