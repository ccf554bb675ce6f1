/** Open descriptors sent from process to process over a unix stream socket (SCM_RIGHTS, unix(7)). */
import type { Socket } from 'node:net';
import { setNonBlocking } from './libc.ts';
import { addressOf, checked, lastErrno, nativeFunction } from './native.ts';
import { facilityUnavailable, invalidSystemArgument, systemError } from './system-errors.ts';
import { watchDescriptor } from './watch-descriptor.ts';

/** What arrived: some bytes, and the descriptor that came with the first of them. */
export interface ReceivedDescriptor {
  readonly payload: Buffer;
  /** Close-on-exec; belongs to the receiver. Undefined when the sender attached none. */
  readonly fd: number | undefined;
}

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;
const EAGAIN = 11;
const EINTR = 4;
/** `msghdr` on 64-bit Linux. */
const HEADER_BYTES = 56;
/** CMSG_LEN and CMSG_SPACE of one int on 64-bit Linux. */
const CONTROL_LENGTH = 20;
const CONTROL_SPACE = 24;

const cSendmsg = nativeFunction('long sendmsg(int fd, const void *message, int flags)');
const cRecvmsg = nativeFunction('long recvmsg(int fd, void *message, int flags)');

/**
 * Sends `payload` (at least one byte, small) with a copy of `fd`, at once. The caller's descriptor stays open and
 * the caller's. Throws `EAGAIN` when the peer lets its socket fill up, `EPIPE` when it has gone.
 */
export function sendDescriptor(socketFd: number, payload: Uint8Array, fd: number): void {
  if (payload.length === 0)
    throw invalidSystemArgument('a descriptor needs a payload byte to ride on');
  const message = new Message(Buffer.from(payload));
  message.attach(fd);
  const sent = checked(cSendmsg(socketFd, message.header, MSG_NOSIGNAL | MSG_DONTWAIT), 'sendmsg');
  if (sent < payload.length) throw systemError({ call: 'sendmsg', errno: EAGAIN });
}

/**
 * Waits for the next bytes (up to 4096) on a raw socket and the descriptor that came with them; undefined at the
 * end of the stream. Ends with the signal's reason when it aborts. No node stream may own the socket.
 */
export function receiveDescriptor(
  socketFd: number,
  signal?: AbortSignal,
): Promise<ReceivedDescriptor | undefined> {
  setNonBlocking(socketFd);
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason);
      return;
    }
    const settle = (deliver: () => void) => {
      watch.stop();
      signal?.removeEventListener('abort', onAbort);
      deliver();
    };
    const onAbort = () => settle(() => reject(signal?.reason));
    const watch = watchDescriptor(socketFd, 'readable', () => {
      try {
        const received = receiveNow(socketFd);
        if (received !== 'nothing-yet') settle(() => resolve(received));
      } catch (error) {
        settle(() => reject(error));
      }
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** The descriptor under a connected node socket, for `sendDescriptor`. It stays the socket's own. */
export function socketDescriptor(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const fd: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined;
  if (typeof fd !== 'number' || fd < 0)
    throw facilityUnavailable('the socket has no descriptor (closed?)');
  return fd;
}

function receiveNow(socketFd: number): ReceivedDescriptor | undefined | 'nothing-yet' {
  const message = new Message(Buffer.alloc(4096));
  const flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
  const length = cRecvmsg(socketFd, message.header, flags);
  if (length < 0 && [EAGAIN, EINTR].includes(lastErrno())) return 'nothing-yet';
  checked(length, 'recvmsg');
  if (length === 0) return undefined;
  return { payload: message.payload.subarray(0, length), fd: message.attached() };
}

/** A `msghdr` with one payload buffer and room for one descriptor. */
class Message {
  readonly header = Buffer.alloc(HEADER_BYTES);
  readonly payload: Buffer;
  readonly #vector = Buffer.alloc(16);
  readonly #control = Buffer.alloc(CONTROL_SPACE);

  constructor(payload: Buffer) {
    this.payload = payload;
    this.#vector.writeBigUInt64LE(addressOf(payload), 0);
    this.#vector.writeBigUInt64LE(BigInt(payload.length), 8);
    this.header.writeBigUInt64LE(addressOf(this.#vector), 16);
    this.header.writeBigUInt64LE(1n, 24);
    this.header.writeBigUInt64LE(addressOf(this.#control), 32);
    this.header.writeBigUInt64LE(BigInt(CONTROL_SPACE), 40);
  }

  attach(fd: number): void {
    this.#control.writeBigUInt64LE(BigInt(CONTROL_LENGTH), 0);
    this.#control.writeInt32LE(SOL_SOCKET, 8);
    this.#control.writeInt32LE(SCM_RIGHTS, 12);
    this.#control.writeInt32LE(fd, 16);
  }

  attached(): number | undefined {
    if (this.header.readBigUInt64LE(40) < BigInt(CONTROL_LENGTH)) return undefined;
    const isRights =
      this.#control.readInt32LE(8) === SOL_SOCKET && this.#control.readInt32LE(12) === SCM_RIGHTS;
    return isRights ? this.#control.readInt32LE(16) : undefined;
  }
}
