/** TCP sockets as bare descriptors, for data that node itself never needs to see. */
import { closeSync } from 'node:fs';
import { checked, lastErrno, nativeFunction } from '../native.ts';
import { ipv4Bytes } from '../netlink/ipv4.ts';
import { AddressFamily, openSocket, SocketType } from '../socket-calls.ts';
import { systemError } from '../system-errors.ts';

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;
const EINPROGRESS = 115;

const cConnect = nativeFunction('int connect(int fd, const void *address, unsigned int length)');
const cShutdown = nativeFunction('int shutdown(int fd, int how)');
const cSetsockopt = nativeFunction(
  'int setsockopt(int fd, int level, int name, const int *value, unsigned int length)',
);
const cGetsockopt = nativeFunction(
  'int getsockopt(int fd, int level, int name, int *value, int *length)',
);

/**
 * Begins to connect; the non-blocking descriptor belongs to the caller. It becomes writable when the outcome is
 * known, which `assertConnected` tells.
 */
export function beginConnect(address: number, port: number): number {
  const fd = openSocket(AddressFamily.inet, SocketType.stream, { nonBlocking: true });
  const result = cConnect(fd, internetAddress(address, port), 16);
  const errno = result < 0 ? lastErrno() : 0;
  if (errno === 0 || errno === EINPROGRESS) return fd;
  closeSync(fd);
  throw systemError({ call: 'connect', errno });
}

/** Throws what became of a connection that failed, e.g. ECONNREFUSED. */
export function assertConnected(fd: number): void {
  const value = new Int32Array(1);
  checked(cGetsockopt(fd, SOL_SOCKET, SO_ERROR, value, new Int32Array([4])), 'getsockopt');
  const errno = value[0] ?? 0;
  if (errno !== 0) throw systemError({ call: 'connect', errno });
}

/** Sends small segments at once: whoever wrote them has decided about delays already. */
export function setNoDelay(fd: number): void {
  checked(cSetsockopt(fd, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4), 'setsockopt');
}

/** Ends the sending direction. A peer that is gone already is no error. */
export function finishSending(fd: number): void {
  cShutdown(fd, SHUT_WR);
}

/** Makes the close of the last descriptor a reset: the peer must not take what it got for all there is. */
export function resetOnClose(fd: number): void {
  cSetsockopt(fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]), 8);
}

/** `sockaddr_in`. */
function internetAddress(address: number, port: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AddressFamily.inet, 0);
  bytes.writeUInt16BE(port, 2);
  ipv4Bytes(address).copy(bytes, 4);
  return bytes;
}
