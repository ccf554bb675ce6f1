/** Sending datagrams to unix sockets, which node's `dgram` cannot do. */
import { closeSync } from 'node:fs';
import { connectUnixSocket, EAGAIN, SocketType, trySendPacket } from './socket-calls.ts';
import { systemError } from './system-errors.ts';
import { type DescriptorWatch, watchDescriptor } from './watch-descriptor.ts';

/** A receiver that reads nothing for so long is stuck. */
const STUCK_AFTER_MS = 5_000;

/** A socket that sends to one receiver. Used by one caller at a time. */
export class DatagramSender {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** `ENOENT` when there is no socket at `path`, `ECONNREFUSED` when nobody receives there. */
  static connect(path: string): DatagramSender {
    return new DatagramSender(
      connectUnixSocket(path, { type: SocketType.datagram, nonBlocking: true }),
    );
  }

  /**
   * Sends one datagram; undefined when the kernel took it at once, else a promise of that: a receiver that falls
   * behind slows us down, and one that is stuck for 5 seconds is an `EAGAIN`. `EMSGSIZE` for more than the kernel
   * takes (about 200 kB), `ECONNREFUSED` when the receiver has gone.
   */
  send(bytes: Uint8Array): Promise<void> | undefined {
    return trySendPacket(this.#fd, bytes) ? undefined : this.#sendWhenPossible(bytes);
  }

  close(): void {
    closeSync(this.#fd);
  }

  async #sendWhenPossible(bytes: Uint8Array): Promise<void> {
    do await this.#writable();
    while (!trySendPacket(this.#fd, bytes));
  }

  #writable(): Promise<void> {
    return new Promise((resolve, reject) => {
      const watch: DescriptorWatch = watchDescriptor(this.#fd, 'writable', () => {
        clearTimeout(timer);
        watch.stop();
        resolve();
      });
      const timer = setTimeout(() => {
        watch.stop();
        reject(systemError({ call: 'send', errno: EAGAIN }));
      }, STUCK_AFTER_MS);
    });
  }
}
