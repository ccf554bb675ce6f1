/** openat2(2): opens paths below a directory so that neither links nor `..` lead out of it, whatever others do meanwhile. */
import { checked, lastErrno, nativeFunction } from '../native.ts';
import { invalidSystemArgument } from '../system-errors.ts';

/** Flags of open(2) that node has no name for. */
export const O_PATH = 0o10000000;

const SYS_OPENAT2 = 437;
const O_CLOEXEC = 0o2000000;
const RESOLVE_IN_ROOT = 0x10n;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const EAGAIN = 11;
/** The kernel gives up when something was renamed while it followed `..`; it says so and wants to be asked again. */
const MOST_TRIES = 64;

const cOpenat2 = nativeFunction(
  'long syscall(long number, int dir, const char *path, void *how, size_t size)',
);

/**
 * Opens `path` as a process whose root is the directory `rootFd` would. The descriptor is close-on-exec and the
 * caller's. `flags` are those of open(2) without `O_CREAT`. Throws system errors (`ENOENT`, `ENOTDIR`, `ELOOP`, …).
 */
export function openInRoot(rootFd: number, path: string, flags: number): number {
  if (path.includes('\0')) throw invalidSystemArgument('a path contains a NUL character');
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
  how.writeBigUInt64LE(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, 16);
  for (let tries = 1; ; tries++) {
    const fd = cOpenat2(SYS_OPENAT2, rootFd, path, how, how.length);
    if (fd < 0 && lastErrno() === EAGAIN && tries < MOST_TRIES) continue;
    return checked(fd, 'open', path);
  }
}

/** A path that leads to an open file, whatever happens to its names: for calls that know paths only. */
export function pathOfFd(fd: number, name?: string): string {
  return name === undefined ? `/proc/self/fd/${fd}` : `/proc/self/fd/${fd}/${name}`;
}
