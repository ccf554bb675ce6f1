/** Binding sockets as bare descriptors, so that they can outlive or change the process that serves them. */
import { chmodSync, closeSync, fchmodSync, rmSync } from 'node:fs';
import { isIPv4, isIPv6 } from 'node:net';
import { EngineError } from '../shared/errors.ts';
import { checked, nativeFunction } from './native.ts';
import { AddressFamily, openSocket, SocketType, withUnixAddress } from './socket-calls.ts';
import { errnoCode, invalidSystemArgument } from './system-errors.ts';

/** Where to bind. */
export interface BindRequest {
  readonly protocol: 'tcp' | 'udp';
  /** A literal IPv4 or IPv6 address. */
  readonly hostIp: string;
  /** 0 asks for a random free port. */
  readonly hostPort: number;
}

/** A bound socket; TCP ones listen. The non-blocking, close-on-exec descriptor belongs to the caller. */
export interface BoundSocket {
  readonly fd: number;
  readonly hostIp: string;
  /** The port that was asked for, or the one the kernel chose. */
  readonly hostPort: number;
}

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
/** The kernel cuts it to `net.core.somaxconn`. */
const BACKLOG = 511;

const cBind = nativeFunction('int bind(int fd, const void *address, unsigned int length)');
const cListen = nativeFunction('int listen(int fd, int backlog)');
const cSetsockopt = nativeFunction(
  'int setsockopt(int fd, int level, int name, const int *value, unsigned int length)',
);
const cGetsockname = nativeFunction('int getsockname(int fd, void *address, int *length)');

/**
 * Binds a TCP (listening) or UDP socket. IPv6 sockets take IPv6 only, so that both families can hold one port.
 * A refusal of the kernel is a `conflict` with `details.code` EADDRINUSE, EACCES or EADDRNOTAVAIL.
 */
export function bindSocket(request: BindRequest): BoundSocket {
  const address = internetAddress(request.hostIp, request.hostPort);
  const tcp = request.protocol === 'tcp';
  const family = address.readUInt16LE(0);
  const fd = openSocket(family, tcp ? SocketType.stream : SocketType.datagram, {
    nonBlocking: true,
  });
  try {
    // Not for UDP: there it would let a second socket take over a port that is in use.
    if (tcp) setOption(fd, SOL_SOCKET, SO_REUSEADDR);
    if (family === AddressFamily.inet6) setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    const where = `${request.hostIp}:${request.hostPort}`;
    checked(cBind(fd, address, address.length), 'bind', where);
    if (tcp) checked(cListen(fd, BACKLOG), 'listen', where);
    return { fd, hostIp: request.hostIp, hostPort: boundPort(fd) };
  } catch (error) {
    closeSync(fd);
    throw asRefusal(error);
  }
}

/**
 * A listening unix socket at `path` with permission bits `mode` from its first moment on. The non-blocking
 * descriptor belongs to the caller, who also removes a stale socket first. `EADDRINUSE` when the path exists.
 */
export function bindUnixSocket(path: string, mode: number): number {
  const fd = openSocket(AddressFamily.unix, SocketType.stream, { nonBlocking: true });
  try {
    // The new file takes the bits of the unbound socket (less the umask): nobody can connect in between.
    fchmodSync(fd, mode);
    withUnixAddress(path, (address) => checked(cBind(fd, address, address.length), 'bind', path));
  } catch (error) {
    closeSync(fd);
    throw asRefusal(error);
  }
  try {
    chmodSync(path, mode);
    checked(cListen(fd, BACKLOG), 'listen', path);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(path, { force: true });
    throw error;
  }
}

function setOption(fd: number, level: number, name: number): void {
  checked(cSetsockopt(fd, level, name, new Int32Array([1]), 4), 'setsockopt');
}

/** The port that a socket is bound to. */
export function boundPort(fd: number): number {
  const address = Buffer.alloc(28);
  checked(cGetsockname(fd, address, new Int32Array([address.length])), 'getsockname');
  return address.readUInt16BE(2);
}

/** `sockaddr_in` or `sockaddr_in6`, by the form of the address. */
function internetAddress(hostIp: string, port: number): Buffer {
  if (isIPv4(hostIp)) {
    const address = Buffer.alloc(16);
    address.writeUInt16LE(AddressFamily.inet, 0);
    address.writeUInt16BE(port, 2);
    Buffer.from(hostIp.split('.').map(Number)).copy(address, 4);
    return address;
  }
  if (!isIPv6(hostIp)) throw invalidSystemArgument(`${hostIp} is not an IP address`);
  const address = Buffer.alloc(28);
  address.writeUInt16LE(AddressFamily.inet6, 0);
  address.writeUInt16BE(port, 2);
  const [literal = '', zone] = hostIp.split('%');
  checkedPton(literal, address.subarray(8, 24));
  if (zone !== undefined) address.writeUInt32LE(interfaceIndex(zone), 24);
  return address;
}

const cInetPton = nativeFunction('int inet_pton(int family, const char *text, void *address)');
const cIfNameToIndex = nativeFunction('unsigned int if_nametoindex(const char *name)');

function checkedPton(text: string, into: Uint8Array): void {
  if (cInetPton(AddressFamily.inet6, text, into) !== 1) {
    throw invalidSystemArgument(`${text} is not an IPv6 address`);
  }
}

function interfaceIndex(zone: string): number {
  return /^\d+$/.test(zone) ? Number(zone) : cIfNameToIndex(zone);
}

/** The port or address cannot be had: that is the caller's to resolve, hence `conflict`. */
function asRefusal(error: unknown): unknown {
  const code = errnoCode(error);
  const refused = code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL';
  if (!refused || !(error instanceof EngineError)) return error;
  return new EngineError('conflict', error.message, { cause: error, details: error.details });
}
