/** Moves bytes from socket to socket inside of the kernel (splice(2)): no copy, no buffer, no garbage. */
import { closeSync } from 'node:fs';
import { type PipeEnds, pipe } from '../libc.ts';
import { checked, lastErrno, nativeFunction } from '../native.ts';

const F_SETPIPE_SZ = 1031;
const SPLICE_MOVE = 1;
const SPLICE_NONBLOCK = 2;
const EAGAIN = 11;

/** Measured: 64 KiB carries 10 % less, 1 MiB no more, and a user's pipes may hold 64 MiB in all. */
const CAPACITY_BYTES = 256 * 1024;
/** Empty pipes that are kept for the next connection. */
const MAX_IDLE_PIPES = 8;

const cSplice = nativeFunction(
  'long splice(int from, void *from_offset, int to, void *to_offset, size_t length, unsigned int flags)',
);
const cFcntl = nativeFunction('int fcntl(int fd, int command, long argument)');

/** A pipe between two non-blocking sockets. */
export class SplicePipe {
  readonly #ends: PipeEnds;
  #length = 0;

  constructor() {
    this.#ends = pipe();
    // Refused when the user's pipes hold too much already: then it works in smaller steps.
    cFcntl(this.#ends.write, F_SETPIPE_SZ, CAPACITY_BYTES);
  }

  /** Bytes taken and not yet given on. */
  get length(): number {
    return this.#length;
  }

  /** Takes what is there: the number of bytes, 0 at the end of the stream, undefined when nothing waits. */
  fill(fromFd: number): number | undefined {
    const taken = splice(fromFd, this.#ends.write, CAPACITY_BYTES);
    this.#length += taken ?? 0;
    return taken;
  }

  /** Gives on what the socket accepts: the number of bytes, undefined when it accepts nothing now. */
  drain(toFd: number): number | undefined {
    const given = splice(this.#ends.read, toFd, this.#length);
    this.#length -= given ?? 0;
    return given;
  }

  close(): void {
    closeSync(this.#ends.read);
    closeSync(this.#ends.write);
  }
}

/** Pipes for connections that have something to carry; idle connections need none. */
export class PipePool {
  readonly #idle: SplicePipe[] = [];

  /** An empty pipe. Throws when there are no descriptors left. */
  take(): SplicePipe {
    return this.#idle.pop() ?? new SplicePipe();
  }

  /** Takes a pipe back; one that is not empty is closed, as are those beyond the reserve. */
  give(used: SplicePipe): void {
    if (used.length === 0 && this.#idle.length < MAX_IDLE_PIPES) this.#idle.push(used);
    else used.close();
  }

  /** Closes the reserve. */
  close(): void {
    for (const idle of this.#idle.splice(0)) idle.close();
  }
}

function splice(from: number, to: number, length: number): number | undefined {
  const moved = cSplice(from, null, to, null, length, SPLICE_MOVE | SPLICE_NONBLOCK);
  if (moved < 0 && lastErrno() === EAGAIN) return undefined;
  return checked(moved, 'splice');
}
