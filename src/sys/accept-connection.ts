/** Accepting connections on bare listening sockets, at moments of the caller's choosing. */
import { checked, lastErrno, nativeFunction } from './native.ts';

const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const EAGAIN = 11;

const cAccept4 = nativeFunction(
  'int accept4(int fd, void *address, void *address_length, int flags)',
);

/**
 * The next waiting connection of a non-blocking listening socket: a non-blocking, close-on-exec descriptor that
 * belongs to the caller. Undefined when none waits. Throws when the socket is no listening one.
 */
export function acceptConnection(listenerFd: number): number | undefined {
  const fd = cAccept4(listenerFd, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && lastErrno() === EAGAIN) return undefined;
  return checked(fd, 'accept4');
}
