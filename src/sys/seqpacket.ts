/** Connections over SOCK_SEQPACKET unix sockets, which node's `net` cannot open. */
import { closeSync } from 'node:fs';
import { lastErrno, nativeFunction } from './native.ts';
import {
  connectUnixSocket,
  EAGAIN,
  EINTR,
  MSG_DONTWAIT,
  SocketType,
  trySendPacket,
} from './socket-calls.ts';
import { systemError } from './system-errors.ts';
import { type DescriptorWatch, watchDescriptor } from './watch-descriptor.ts';

/** What to do with what the peer sends. */
export interface SeqpacketOptions {
  /** Called for each packet; without it packets are read and dropped, so that the peer never blocks on us. */
  readonly onPacket?: (packet: Buffer) => void;
}

const SHUT_WR = 1;
const EPIPE = 32;
const LARGEST_PACKET_BYTES = 64 << 10;

const cRecv = nativeFunction('long recv(int fd, void *bytes, size_t length, int flags)');
const cShutdown = nativeFunction('int shutdown(int fd, int how)');

/** A packet for which there is no room yet. */
interface Blocked {
  /** True when the packet was taken. */
  readonly attempt: () => boolean;
  readonly fail: (error: unknown) => void;
}

/** One connection. Sends run in order, each as one packet; the receiving side is drained all the time. */
export class SeqpacketConnection {
  /** Resolves when the peer has closed the connection or `close` was called. Never rejects. */
  readonly closed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  readonly #fd: number;
  readonly #onPacket: ((packet: Buffer) => void) | undefined;
  readonly #scratch = Buffer.alloc(LARGEST_PACKET_BYTES);
  #watch: DescriptorWatch;
  /** The packet that did not fit, and whom to tell once it does. */
  #blocked: Blocked | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #open = true;

  private constructor(fd: number, options: SeqpacketOptions) {
    this.#fd = fd;
    this.#onPacket = options.onPacket;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#watch = this.#watchReadable();
  }

  /** Connects to the socket at `path` (of any length). `ECONNREFUSED` or `ENOENT` when nobody is there. */
  static connect(path: string, options: SeqpacketOptions = {}): SeqpacketConnection {
    const fd = connectUnixSocket(path, { type: SocketType.seqpacket, nonBlocking: true });
    return new SeqpacketConnection(fd, options);
  }

  /**
   * Sends one packet (at most 64 KiB); resolves when the kernel has taken it, which is how the peer slows us
   * down. Rejects with `EPIPE` when the peer has gone.
   */
  send(packet: Uint8Array): Promise<void> {
    const job = this.#tail.then(() => this.#sendWhenPossible(packet));
    this.#tail = job.catch(() => undefined);
    return job;
  }

  /** Tells the peer that nothing more comes, after everything sent so far. */
  async shutdownWrite(): Promise<void> {
    await this.#tail;
    if (this.#open) cShutdown(this.#fd, SHUT_WR);
  }

  /** Ends the connection at once; packets not yet taken are lost. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch.stop();
    closeSync(this.#fd);
    this.#blocked?.fail(systemError({ call: 'send', errno: EPIPE }));
    this.#blocked = undefined;
    this.#resolveClosed();
  }

  #sendWhenPossible(packet: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const attempt = () => {
        if (!trySendPacket(this.#fd, packet)) return false;
        resolve();
        return true;
      };
      if (!this.#open) {
        reject(systemError({ call: 'send', errno: EPIPE }));
      } else if (!attempt()) {
        this.#waitWritable({ attempt, fail: reject });
      }
    });
  }

  /** Goes on reading while a packet waits: a peer that waits for us to read would never make room. */
  #waitWritable(blocked: Blocked): void {
    this.#blocked = blocked;
    this.#watch.stop();
    this.#watch = watchDescriptor(this.#fd, 'both', () => {
      while (this.#open && this.#receive());
      if (this.#open && this.#retry(blocked)) {
        this.#blocked = undefined;
        this.#watch.stop();
        this.#watch = this.#watchReadable();
      }
    });
  }

  /** True when the packet is dealt with, one way or the other. */
  #retry(blocked: Blocked): boolean {
    try {
      return blocked.attempt();
    } catch (error) {
      blocked.fail(error);
      return true;
    }
  }

  #watchReadable(): DescriptorWatch {
    return watchDescriptor(this.#fd, 'readable', () => {
      while (this.#open && this.#receive());
    });
  }

  /** True when a packet was there. */
  #receive(): boolean {
    const length = cRecv(this.#fd, this.#scratch, this.#scratch.length, MSG_DONTWAIT);
    if (length < 0 && [EAGAIN, EINTR].includes(lastErrno())) return false;
    if (length <= 0) {
      this.close();
      return false;
    }
    this.#onPacket?.(Buffer.from(this.#scratch.subarray(0, length)));
    return true;
  }
}
