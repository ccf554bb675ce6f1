/** Declarations of the socket calls that several files of this folder share, and unix socket addresses. */
import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { LONGEST_SOCKET_PATH_BYTES } from './filenames.ts';
import { checked, lastErrno, nativeFunction } from './native.ts';
import { fromNodeError, invalidSystemArgument } from './system-errors.ts';

/** Address families of socket(2). */
export const AddressFamily = { unix: 1, inet: 2, inet6: 10, netlink: 16 } as const;

/** Socket types of socket(2). */
export const SocketType = { stream: 1, datagram: 2, raw: 3, seqpacket: 5 } as const;

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const O_PATH = 0o10000000;

/** Flags of send(2) and recv(2). */
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const EAGAIN = 11;
export const EINTR = 4;

const cSend = nativeFunction('long send(int fd, const void *bytes, size_t length, int flags)');
const cSocket = nativeFunction('int socket(int family, int type, int protocol)');
const cConnect = nativeFunction('int connect(int fd, const void *address, unsigned int length)');

/** A new close-on-exec socket that belongs to the caller. */
export function openSocket(
  family: number,
  type: number,
  options: { protocol?: number; nonBlocking?: boolean } = {},
): number {
  const flags = SOCK_CLOEXEC | (options.nonBlocking === true ? SOCK_NONBLOCK : 0);
  return checked(cSocket(family, type | flags, options.protocol ?? 0), 'socket');
}

/** Sends one packet or datagram without waiting; false when there is no room. */
export function trySendPacket(fd: number, bytes: Uint8Array): boolean {
  const sent = cSend(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && [EAGAIN, EINTR].includes(lastErrno())) return false;
  checked(sent, 'send');
  return true;
}

/**
 * A connection to the unix socket at `path`; the descriptor belongs to the caller. `ECONNREFUSED` when nobody
 * listens, `ENOENT` when there is no socket.
 */
export function connectUnixSocket(
  path: string,
  options: { type?: number; nonBlocking?: boolean } = {},
): number {
  const type = options.type ?? SocketType.stream;
  return withUnixAddress(path, (address) => {
    const fd = openSocket(AddressFamily.unix, type, { nonBlocking: options.nonBlocking === true });
    try {
      checked(cConnect(fd, address, address.length), 'connect', path);
      return fd;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  });
}

/**
 * Calls `use` with the `sockaddr_un` of a path of any length: one that is too long for the structure is reached
 * through a descriptor of its directory.
 */
export function withUnixAddress<T>(path: string, use: (address: Buffer) => T): T {
  if (path.includes('\0')) throw invalidSystemArgument('a socket path contains a NUL character');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH_BYTES) return use(unixAddress(path));
  const dir = openDirectory(dirname(path));
  try {
    return use(unixAddress(`/proc/self/fd/${dir}/${basename(path)}`));
  } finally {
    closeSync(dir);
  }
}

function unixAddress(path: string): Buffer {
  const bytes = Buffer.from(path);
  if (bytes.length > LONGEST_SOCKET_PATH_BYTES) {
    throw invalidSystemArgument(`the socket name ${basename(path)} is too long`);
  }
  const address = Buffer.alloc(2 + bytes.length + 1);
  address.writeUInt16LE(AddressFamily.unix, 0);
  bytes.copy(address, 2);
  return address;
}

function openDirectory(path: string): number {
  try {
    return openSync(path, O_PATH | constants.O_DIRECTORY);
  } catch (error) {
    throw fromNodeError(error, `open ${path}`);
  }
}
