/**
 * Sockets that speak in the name of an address which is not this machine's (IP_TRANSPARENT, ip(7)). They need
 * CAP_NET_ADMIN in the user namespace of their network, and a route that brings the answers back to them.
 */
import { closeSync } from 'node:fs';
import { checked, lastErrno, nativeFunction } from './native.ts';
import { ipv4Bytes } from './netlink/ipv4.ts';
import { AddressFamily, openSocket, SocketType } from './socket-calls.ts';
import { errnoCode, systemError } from './system-errors.ts';

/** An IPv4 address with a port. */
export interface InternetPeer {
  readonly address: number;
  readonly port: number;
}

/** Whose name a socket speaks in, and how its packets are marked on their way out. */
export interface BorrowedSource extends InternetPeer {
  readonly mark: number;
}

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_MARK = 36;
const SOL_IP = 0;
const IP_TRANSPARENT = 19;
const SO_ORIGINAL_DST = 80;
const EINPROGRESS = 115;
/** The very same connection exists, or the port is held by a socket that does not share it. */
const TAKEN: ReadonlySet<string> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);
const ADDRESS_BYTES = 16;

const cBind = nativeFunction('int bind(int fd, const void *address, unsigned int length)');
const cConnect = nativeFunction('int connect(int fd, const void *address, unsigned int length)');
const cGetpeername = nativeFunction('int getpeername(int fd, void *address, int *length)');
const cGetsockopt = nativeFunction(
  'int getsockopt(int fd, int level, int name, void *value, int *length)',
);
const cSetsockopt = nativeFunction(
  'int setsockopt(int fd, int level, int name, const int *value, unsigned int length)',
);

/**
 * Begins to connect by TCP; the non-blocking descriptor belongs to the caller. With a source, the other side sees its
 * address, and its port as well unless that is in use.
 */
export function connectFrom(target: InternetPeer, source: BorrowedSource | undefined): number {
  if (source === undefined) return openAs(undefined, SocketType.stream, target);
  return withAnyPort(source, (one) => openAs(one, SocketType.stream, target));
}

/** A non-blocking UDP socket that sends in the name of `source`; it belongs to the caller. */
export function openDatagramSocket(source: BorrowedSource): number {
  return withAnyPort(source, (one) => openAs(one, SocketType.datagram));
}

function withAnyPort(source: BorrowedSource, open: (source: BorrowedSource) => number): number {
  try {
    return open(source);
  } catch (error) {
    if (!TAKEN.has(errnoCode(error) ?? '')) throw error;
    return open({ ...source, port: 0 });
  }
}

function openAs(source: BorrowedSource | undefined, type: number, target?: InternetPeer): number {
  const fd = openSocket(AddressFamily.inet, type, { nonBlocking: true });
  try {
    if (source !== undefined) {
      borrow(fd, source);
      checked(cBind(fd, encode(source), ADDRESS_BYTES), 'bind');
    }
    if (target !== undefined) beginConnect(fd, target);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function beginConnect(fd: number, target: InternetPeer): void {
  const result = cConnect(fd, encode(target), ADDRESS_BYTES);
  const errno = result < 0 ? lastErrno() : 0;
  if (errno !== 0 && errno !== EINPROGRESS) throw systemError({ call: 'connect', errno });
}

/** The other end of a connection when that is an IPv4 address. */
export function peerOf(fd: number): InternetPeer | undefined {
  const address = Buffer.alloc(28);
  if (cGetpeername(fd, address, new Int32Array([address.length])) < 0) return undefined;
  if (address.readUInt16LE(0) !== AddressFamily.inet) return undefined;
  return { address: address.readUInt32BE(4), port: address.readUInt16BE(2) };
}

/** Where a connection was going before the packet filter led it to us; undefined when it did not. */
export function originalTargetOf(fd: number): InternetPeer | undefined {
  const address = Buffer.alloc(ADDRESS_BYTES);
  const length = new Int32Array([address.length]);
  if (cGetsockopt(fd, SOL_IP, SO_ORIGINAL_DST, address, length) < 0) return undefined;
  return { address: address.readUInt32BE(4), port: address.readUInt16BE(2) };
}

/** Whether the kernel lets this process speak in other names. */
export function canBorrowSource(mark: number): boolean {
  const fd = openSocket(AddressFamily.inet, SocketType.stream);
  try {
    borrow(fd, { address: 0, port: 0, mark });
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

function borrow(fd: number, { mark }: BorrowedSource): void {
  setOption(fd, [SOL_IP, IP_TRANSPARENT], 1);
  setOption(fd, [SOL_SOCKET, SO_MARK], mark);
  // Connections of one client to several ports come from the same port of its own.
  setOption(fd, [SOL_SOCKET, SO_REUSEADDR], 1);
}

function setOption(fd: number, [level, name]: readonly [number, number], value: number): void {
  checked(cSetsockopt(fd, level, name, new Int32Array([value]), 4), 'setsockopt');
}

/** `sockaddr_in`. */
function encode({ address, port }: InternetPeer): Buffer {
  const bytes = Buffer.alloc(ADDRESS_BYTES);
  bytes.writeUInt16LE(AddressFamily.inet, 0);
  bytes.writeUInt16BE(port, 2);
  ipv4Bytes(address).copy(bytes, 4);
  return bytes;
}
