/** One forwarded TCP connection: a client of the host and the container that serves it. */
import { closeSync } from 'node:fs';
import type { PipePool } from '../../sys/splice/splice-pipe.ts';
import { assertConnected, resetOnClose, setNoDelay } from '../../sys/splice/tcp-socket.ts';
import { type DescriptorWatch, watchDescriptor } from '../../sys/watch-descriptor.ts';
import { StreamDirection, WatchedSocket } from './stream-direction.ts';

/**
 * Begins a connection for that of a client and gives its descriptor, which belongs to the caller from then on. Throws
 * or rejects when there can be none.
 */
export type ConnectUpstream = (clientFd: number) => number | Promise<number>;

/** What a connection is made of. */
export interface TcpConnectionOptions {
  /** The accepted connection; it belongs to the object from here on. */
  readonly clientFd: number;
  readonly connect: ConnectUpstream;
  readonly pipes: PipePool;
  /** Called once, when all descriptors are closed. */
  readonly onClosed: () => void;
}

/**
 * Each direction ends on its own: a client that has finished sending still gets the answer. A failure of one
 * side becomes a reset of the other, never a clean end, so that nobody takes a cut stream for a whole one.
 */
export class TcpConnection {
  readonly #client: WatchedSocket;
  readonly #options: TcpConnectionOptions;
  #upstream: WatchedSocket | undefined;
  #connecting: DescriptorWatch | undefined;
  #sending: StreamDirection | undefined;
  #answering: StreamDirection | undefined;
  #open = true;
  /** The container is gone: only its last words are still delivered. */
  #draining = false;

  constructor(options: TcpConnectionOptions) {
    this.#options = options;
    this.#client = new WatchedSocket(options.clientFd);
  }

  /** Connects to the container; nothing of the client's is read before that has succeeded. */
  start(): void {
    try {
      const upstream = this.#options.connect(this.#client.fd);
      if (typeof upstream === 'number') this.#adopt(upstream);
      else
        upstream.then(
          (fd) => this.#adopt(fd),
          () => this.reset(),
        );
    } catch {
      this.reset();
    }
  }

  #adopt(fd: number): void {
    if (!this.#open) {
      closeSync(fd);
      return;
    }
    this.#upstream = new WatchedSocket(fd);
    this.#connecting = watchDescriptor(fd, 'writable', () => this.#connected());
  }

  /** Delivers what the container has sent; then, or when nothing can follow, the connection is closed. */
  drain(): void {
    this.#draining = true;
    this.#sending?.stop();
    this.#sending = undefined;
    if (this.#answering === undefined) this.#close();
  }

  /** Resets both sides. Idempotent. */
  reset(): void {
    if (!this.#open) return;
    resetOnClose(this.#client.fd);
    if (this.#upstream !== undefined) resetOnClose(this.#upstream.fd);
    this.#close();
  }

  #connected(): void {
    const upstream = this.#upstream;
    this.#connecting?.stop();
    this.#connecting = undefined;
    if (upstream === undefined) return;
    try {
      assertConnected(upstream.fd);
      setNoDelay(upstream.fd);
      setNoDelay(this.#client.fd);
    } catch {
      this.reset();
      return;
    }
    const client = this.#client;
    const { pipes } = this.#options;
    this.#answering = new StreamDirection({
      from: upstream,
      to: client,
      pipes,
      onFailure: () => this.reset(),
      onEnd: () => this.#answered(),
    });
    this.#sending = new StreamDirection({
      from: client,
      to: upstream,
      pipes,
      onFailure: (side) => this.#sendingFailed(side),
      onEnd: () => this.#sent(),
    });
    this.#answering.pump();
    this.#sending?.pump();
  }

  /**
   * A container that reads no more may have answered already, e.g. refused a long upload: its answer is still
   * delivered. When the client is gone, there is nobody to deliver to.
   */
  #sendingFailed(side: 'from' | 'to'): void {
    this.#sending = undefined;
    if (side === 'to' && this.#answering !== undefined) this.#answering.pump();
    else this.reset();
  }

  #answered(): void {
    this.#answering = undefined;
    if (this.#draining || this.#sending === undefined) this.#close();
  }

  #sent(): void {
    this.#sending = undefined;
    if (this.#answering === undefined) this.#close();
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#connecting?.stop();
    this.#answering?.stop();
    this.#sending?.stop();
    this.#client.close();
    this.#upstream?.close();
    this.#options.onClosed();
  }
}
