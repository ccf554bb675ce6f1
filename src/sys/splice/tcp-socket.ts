/** TCP sockets as bare descriptors, for data that node itself never needs to see. */
import { checked, nativeFunction } from '../native.ts';
import { systemError } from '../system-errors.ts';

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const SO_LINGER = 13;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;

const cShutdown = nativeFunction('int shutdown(int fd, int how)');
const cSetsockopt = nativeFunction(
  'int setsockopt(int fd, int level, int name, const int *value, unsigned int length)',
);
const cGetsockopt = nativeFunction(
  'int getsockopt(int fd, int level, int name, int *value, int *length)',
);

/** Throws what became of a connection that failed, e.g. ECONNREFUSED. */
export function assertConnected(fd: number): void {
  const value = new Int32Array(1);
  checked(cGetsockopt(fd, SOL_SOCKET, SO_ERROR, value, new Int32Array([4])), 'getsockopt');
  const errno = value[0] ?? 0;
  if (errno !== 0) throw systemError({ call: 'connect', errno });
}

/**
 * Sends small segments at once: whoever wrote them has decided about delays already. A connection of another kind (in a virtual
 * machine, what leads outside is a unix socket) knows no delays.
 */
export function setNoDelay(fd: number): void {
  cSetsockopt(fd, IPPROTO_TCP, TCP_NODELAY, new Int32Array([1]), 4);
}

/** Ends the sending direction. A peer that is gone already is no error. */
export function finishSending(fd: number): void {
  cShutdown(fd, SHUT_WR);
}

/** Makes the close of the last descriptor a reset: the peer must not take what it got for all there is. */
export function resetOnClose(fd: number): void {
  cSetsockopt(fd, SOL_SOCKET, SO_LINGER, new Int32Array([1, 0]), 8);
}
