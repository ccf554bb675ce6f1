/** Linux system calls that node does not offer, one small function each. All throw errors with `details.code`. */
import { closeSync, constants, openSync } from 'node:fs';
import { backgroundFunction, checked, lastErrno, nativeFunction } from './native.ts';
import { invalidSystemArgument, systemError } from './system-errors.ts';

/** Flags of mount(2). */
export const MountFlag = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDev: 0x4,
  noExec: 0x8,
  remount: 0x20,
  noAtime: 0x400,
  bind: 0x1000,
  move: 0x2000,
  recursive: 0x4000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
} as const;

/** Flags of umount2(2). */
export const UmountFlag = { force: 0x1, detach: 0x2, noFollow: 0x8 } as const;

/** Flags of flock(2). */
export const FlockFlag = { shared: 1, exclusive: 2, nonBlocking: 4, unlock: 8 } as const;

/** A new pipe; both ends are close-on-exec and belong to the caller. */
export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

/** A new pseudo terminal; both ends are close-on-exec and belong to the caller. */
export interface PtyEnds {
  readonly master: number;
  readonly slave: number;
}

/** What to mount: the arguments of mount(2). */
export interface MountRequest {
  /** Device, directory or file to bind, or any word for file systems without a source. */
  readonly source: string;
  readonly target: string;
  /** File system type; undefined for bind mounts and changes of flags. */
  readonly type?: string;
  /** Or-ed `MountFlag` values. Default 0. */
  readonly flags?: number;
  /** Options of the file system; the kernel takes at most a page (4095 bytes). */
  readonly data?: string;
}

const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const PR_SET_CHILD_SUBREAPER = 36;
const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TIOCSWINSZ = 0x5414;
const LARGEST_MOUNT_DATA = 4095;
const SYS_MOUNT_SETATTR = 442;
const MOUNT_ATTR_RDONLY = 1n;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_RECURSIVE = 0x8000;

const cMount = nativeFunction(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const cMountSetattr = nativeFunction(
  'long syscall(long number, int dir, const char *path, unsigned int flags, void *attributes, size_t size)',
);
const cUmount2 = nativeFunction('int umount2(const char *target, int flags)');
const cSetxattr = nativeFunction(
  'int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)',
);
const cGetxattr = nativeFunction(
  'long lgetxattr(const char *path, const char *name, void *value, size_t size)',
);
const cListxattr = nativeFunction('long llistxattr(const char *path, void *list, size_t size)');
const cRemovexattr = nativeFunction('int lremovexattr(const char *path, const char *name)');
const cMknod = nativeFunction(
  'int mknod(const char *path, unsigned int mode, unsigned long device)',
);
const cPipe2 = nativeFunction('int pipe2(int *fds, int flags)');
const cFcntl = nativeFunction('int fcntl(int fd, int command, long argument)');
const cIoctl = nativeFunction('int ioctl(int fd, unsigned long request, void *argument)');
const cIoctlNumber = nativeFunction('int ioctl(int fd, unsigned long request, long argument)');
const cPrctl = nativeFunction(
  'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
);
const cFlock = nativeFunction('int flock(int fd, int operation)');
const cSyncfs = backgroundFunction('int syncfs(int fd)');

/** mount(2). `EINVAL` beforehand when `data` would be cut off by the kernel. */
export function mount(request: MountRequest): void {
  const { source, target, type = null, flags = 0, data = null } = request;
  if (data !== null && Buffer.byteLength(data) > LARGEST_MOUNT_DATA) {
    throw invalidSystemArgument(`mount options for ${target} are longer than a page`);
  }
  checked(cMount(text(source), text(target), type, flags, data), 'mount', target);
}

/** Binds `source` over `target`; `recursive` takes along what is mounted below it. */
export function bindMount(
  source: string,
  target: string,
  options: { recursive?: boolean; readOnly?: boolean } = {},
): void {
  const recursive = options.recursive === true;
  mount({ source, target, flags: MountFlag.bind | (recursive ? MountFlag.recursive : 0) });
  if (options.readOnly !== true) return;
  try {
    makeReadOnly(target, recursive);
  } catch (error) {
    umount(target, UmountFlag.detach);
    throw error;
  }
}

/**
 * Forbids writing through a mount (and those below it). By mount_setattr(2), Linux 5.12: a remount would have to
 * repeat flags that a user namespace has locked, and fails where it does not know them.
 */
function makeReadOnly(target: string, recursive: boolean): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY, 0);
  const flags = AT_SYMLINK_NOFOLLOW | (recursive ? AT_RECURSIVE : 0);
  const result = cMountSetattr(SYS_MOUNT_SETATTR, AT_FDCWD, target, flags, attributes, 32);
  checked(result, 'mount_setattr', target);
}

/** umount2(2) with or-ed `UmountFlag` values. `EINVAL` when nothing is mounted there. */
export function umount(target: string, flags = 0): void {
  checked(cUmount2(text(target), flags), 'umount', target);
}

/** Sets an extended attribute of the path itself, never of a link's target. */
export function lsetxattr(path: string, name: string, value: Uint8Array): void {
  checked(cSetxattr(text(path), text(name), value, value.length, 0), 'lsetxattr', path);
}

/** An extended attribute of the path itself; undefined when it has none of that name. */
export function lgetxattr(path: string, name: string): Buffer | undefined {
  return readGrowing((buffer) => {
    const size = cGetxattr(text(path), text(name), buffer, buffer.length);
    if (size < 0 && lastErrno() === ENODATA) return undefined;
    return size < 0 && lastErrno() === ERANGE ? 'too-small' : checked(size, 'lgetxattr', path);
  });
}

/** Names of the extended attributes of the path itself; empty where the file system has none. */
export function llistxattr(path: string): readonly string[] {
  const list = readGrowing((buffer) => {
    const size = cListxattr(text(path), buffer, buffer.length);
    if (size < 0 && lastErrno() === ENOTSUP) return undefined;
    return size < 0 && lastErrno() === ERANGE ? 'too-small' : checked(size, 'llistxattr', path);
  });
  return (list?.toString('utf8') ?? '').split('\0').filter((name) => name !== '');
}

/** Removes an extended attribute of the path itself. `ENODATA` when there is none. */
export function lremovexattr(path: string, name: string): void {
  checked(cRemovexattr(text(path), text(name)), 'lremovexattr', path);
}

/**
 * mknod(2). `mode` has the type bits (`S_IFCHR` …) and the permissions, which the umask reduces.
 * `EPERM` for devices in a user namespace, except the overlay whiteout (character device 0:0).
 */
export function mknod(path: string, mode: number, device: { major: number; minor: number }): void {
  checked(cMknod(text(path), mode, deviceNumber(device.major, device.minor)), 'mknod', path);
}

/** Makes a fifo; the umask reduces `mode`. */
export function mkfifo(path: string, mode: number): void {
  checked(cMknod(text(path), constants.S_IFIFO | mode, 0), 'mkfifo', path);
}

/** A new blocking pipe. */
export function pipe(): PipeEnds {
  const ends = new Int32Array(2);
  checked(cPipe2(ends, O_CLOEXEC), 'pipe2');
  return { read: ends[0] ?? -1, write: ends[1] ?? -1 };
}

/** A second, close-on-exec descriptor of the same open file, numbered `atLeast` or higher. */
export function duplicateFd(fd: number, atLeast = 0): number {
  return checked(cFcntl(fd, F_DUPFD_CLOEXEC, atLeast), 'dup', String(fd));
}

/** Switches blocking off (or on) for the open file, hence for everyone who shares it. */
export function setNonBlocking(fd: number, nonBlocking = true): void {
  const flags = checked(cFcntl(fd, F_GETFL, 0), 'fcntl', String(fd));
  const wanted = nonBlocking ? flags | constants.O_NONBLOCK : flags & ~constants.O_NONBLOCK;
  checked(cFcntl(fd, F_SETFL, wanted), 'fcntl', String(fd));
}

/**
 * A new pseudo terminal. The slave is opened through the master, so no path in `/dev/pts` is trusted. Neither
 * end becomes this process's controlling terminal.
 */
export function openPty(): PtyEnds {
  const flags = constants.O_RDWR | constants.O_NOCTTY | O_CLOEXEC;
  const master = openSync('/dev/ptmx', flags);
  try {
    checked(cIoctl(master, TIOCSPTLCK, new Int32Array([0])), 'unlockpt');
    return { master, slave: checked(cIoctlNumber(master, TIOCGPTPEER, flags), 'open pty slave') };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Tells the terminal its size in character cells; its foreground processes get SIGWINCH. */
export function setWindowSize(fd: number, size: { rows: number; columns: number }): void {
  const packed = Buffer.alloc(8);
  new Uint16Array(packed.buffer, packed.byteOffset, 2).set([size.rows, size.columns]);
  checked(cIoctl(fd, TIOCSWINSZ, packed), 'set window size');
}

/** Orphaned descendants become children of this process instead of init's. */
export function becomeSubreaper(): void {
  checked(cPrctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl');
}

/** flock(2) with or-ed `FlockFlag` values; false when another open file holds the lock (with `nonBlocking`). */
export function flock(fd: number, operation: number): boolean {
  const result = cFlock(fd, operation);
  if (result < 0 && lastErrno() === EAGAIN) return false;
  checked(result, 'flock');
  return true;
}

/**
 * syncfs(2): resolves when everything written so far to the file system that `fd` lies on is on its disk; the event
 * loop goes on meanwhile. Rejects with `EIO`, `ENOSPC`, `EDQUOT` when something could not be written since `fd` was
 * opened. The kernel tells that to each descriptor once (Linux 5.8): what was lost is not on disk although the
 * next call succeeds.
 */
export async function syncFileSystem(fd: number): Promise<void> {
  const { result, errno } = await cSyncfs(fd);
  if (result < 0) throw systemError({ call: 'syncfs', errno });
}

const ENODATA = 61;
const ERANGE = 34;
const ENOTSUP = 95;
const EAGAIN = 11;

/** The kernel's encoding of a device number (glibc's `makedev`). */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n)
  );
}

/** A C string cannot hold a NUL: refuse it rather than act on the part before it. */
function text(value: string): string {
  if (value.includes('\0')) throw invalidSystemArgument('a path or name contains a NUL character');
  return value;
}

/** Calls `read` with a larger and larger buffer until the answer fits. */
function readGrowing(
  read: (buffer: Buffer) => number | 'too-small' | undefined,
): Buffer | undefined {
  for (let size = 256; ; size *= 4) {
    if (size > 1 << 20) throw systemError({ call: 'xattr', errno: ERANGE });
    const buffer = Buffer.alloc(size);
    const length = read(buffer);
    if (length === undefined) return undefined;
    if (length !== 'too-small') return buffer.subarray(0, length);
  }
}
