/** Carries TCP connections from a listening socket of the host to a container. */
import { closeSync } from 'node:fs';
import { acceptConnection } from '../../sys/accept-connection.ts';
import { setNonBlocking } from '../../sys/libc.ts';
import { PipePool } from '../../sys/splice/splice-pipe.ts';
import { type DescriptorWatch, watchDescriptor } from '../../sys/watch-descriptor.ts';
import type { Forwarder } from './forwarder.ts';
import { type ConnectUpstream, TcpConnection } from './tcp-connection.ts';

/** Connections accepted in one turn; after them other work gets its turn. */
const ACCEPTS_PER_TURN = 32;
/** Pause after a failed accept, e.g. when there are no descriptors left. */
const ACCEPT_PAUSE_MS = 100;
/** How long `close` waits for the container's last words to be delivered. */
const CLOSE_GRACE_MS = 250;
/** How long a slow client may take to read them after that. */
const DRAIN_LIMIT_MS = 10_000;

/** Serves one listening socket. The bytes never enter this program: see `SplicePipe`. */
export class TcpForwarder implements Forwarder {
  readonly #fd: number;
  readonly #connect: ConnectUpstream;
  readonly #pipes = new PipePool();
  readonly #connections = new Set<TcpConnection>();
  #watch: DescriptorWatch | undefined;
  #isBackground = false;
  #pause: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;
  #onIdle: () => void = nothing;

  private constructor(fd: number, connect: ConnectUpstream) {
    this.#fd = fd;
    this.#connect = connect;
  }

  /** Serves the listening socket `fd`, which belongs to the forwarder from here on. */
  static listen(fd: number, connect: ConnectUpstream): TcpForwarder {
    setNonBlocking(fd);
    const forwarder = new TcpForwarder(fd, connect);
    forwarder.#listen();
    return forwarder;
  }

  /** Connections that are open now. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Lets the process end although the socket is served. */
  unref(): void {
    this.#isBackground = true;
    this.#watch?.unref();
  }

  /**
   * Accepts no more. What the container has sent before its end is still delivered: this waits for it for a
   * moment only, slow clients are served in the background until a limit.
   */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown();
    return this.#closed;
  }

  async #shutDown(): Promise<void> {
    this.#watch?.stop();
    clearTimeout(this.#pause);
    closeSync(this.#fd);
    this.#pipes.close();
    for (const connection of [...this.#connections]) connection.drain();
    if (this.#connections.size === 0) return;
    const limit = setTimeout(() => this.#resetAll(), DRAIN_LIMIT_MS);
    await new Promise<void>((resolve) => {
      const grace = setTimeout(resolve, CLOSE_GRACE_MS);
      this.#onIdle = () => {
        clearTimeout(limit);
        clearTimeout(grace);
        resolve();
      };
    });
  }

  #resetAll(): void {
    for (const connection of [...this.#connections]) connection.reset();
  }

  #listen(): void {
    this.#watch = watchDescriptor(this.#fd, 'readable', () => this.#accept());
    if (this.#isBackground) this.#watch.unref();
  }

  #accept(): void {
    try {
      for (let turn = 0; turn < ACCEPTS_PER_TURN; turn++) {
        const clientFd = acceptConnection(this.#fd);
        if (clientFd === undefined) return;
        this.#forward(clientFd);
      }
    } catch {
      // The connection stays in the queue: trying again at once would only burn time.
      this.#watch?.stop();
      this.#pause = setTimeout(() => this.#listen(), ACCEPT_PAUSE_MS);
    }
  }

  #forward(clientFd: number): void {
    const connection: TcpConnection = new TcpConnection({
      clientFd,
      connect: this.#connect,
      pipes: this.#pipes,
      onClosed: () => {
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#onIdle();
      },
    });
    this.#connections.add(connection);
    connection.start();
  }
}

function nothing(): undefined {
  return undefined;
}
