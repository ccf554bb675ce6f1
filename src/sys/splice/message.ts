/**
 * Small messages from socket to socket: a copy through memory costs less than the two calls of a splice, and needs
 * no pipe.
 */
import { checked, lastErrno, nativeFunction } from '../native.ts';
import { EAGAIN, MSG_DONTWAIT, MSG_NOSIGNAL } from '../socket-calls.ts';

/** What fits; more is a stream, for which `SplicePipe` is the faster way. */
export const MESSAGE_BYTES = 16 * 1024;

/** The message on its way. */
const scratch = Buffer.alloc(MESSAGE_BYTES);

const cRecv = nativeFunction('long recv(int fd, void *bytes, size_t length, int flags)');
const cSend = nativeFunction('long send(int fd, const void *bytes, size_t length, int flags)');

/** Takes what waits in a socket: the number of bytes, 0 at the end of the stream, undefined when nothing waits. */
export function takeMessage(fromFd: number): number | undefined {
  const taken = cRecv(fromFd, scratch, MESSAGE_BYTES, MSG_DONTWAIT);
  if (taken < 0 && lastErrno() === EAGAIN) return undefined;
  return checked(taken, 'recv');
}

/** Gives on the `length` bytes that were taken last; a copy of what the socket does not accept now, if that is so. */
export function giveMessage(toFd: number, length: number): Uint8Array | undefined {
  const accepted = send(toFd, scratch, length);
  return accepted === length
    ? undefined
    : Uint8Array.prototype.slice.call(scratch, accepted, length);
}

/** Gives on what an earlier call left: what is still left, if anything is. */
export function giveRest(toFd: number, rest: Uint8Array): Uint8Array | undefined {
  const accepted = send(toFd, rest, rest.length);
  return accepted === rest.length ? undefined : rest.subarray(accepted);
}

function send(toFd: number, bytes: Uint8Array, length: number): number {
  const given = cSend(toFd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  return given < 0 && lastErrno() === EAGAIN ? 0 : checked(given, 'send');
}
