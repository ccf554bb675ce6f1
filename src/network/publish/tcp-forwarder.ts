/** Carries TCP connections from a listening socket of the host to a container. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Forwarder, ForwardTarget } from './forwarder.ts';

/** Bytes that may wait in each direction of a connection. */
const HIGH_WATER_MARK = 256 * 1024;

/**
 * Each direction ends on its own: a client that has finished sending still gets the answer. A reset on one side
 * becomes a reset on the other, never a clean end, so that nobody takes a cut stream for a whole one.
 */
export class TcpForwarder implements Forwarder {
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves the listening socket `fd`, which belongs to the forwarder from here on. */
  static async listen(fd: number, target: ForwardTarget): Promise<TcpForwarder> {
    const server = createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
      noDelay: true,
      highWaterMark: HIGH_WATER_MARK,
    });
    const forwarder = new TcpForwarder(server);
    server.on('connection', (client) => forwarder.#forward(client, target));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ fd }, resolve);
    });
    return forwarder;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #forward(client: Socket, target: ForwardTarget): void {
    const upstream = connect({
      host: target.ipAddress,
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#tie(client, upstream);
    this.#tie(upstream, client);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  /** The failure of one socket ends the other one. */
  #tie(socket: Socket, other: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => other.resetAndDestroy());
    socket.on('close', () => {
      this.#open.delete(socket);
      if (!other.destroyed && !other.writableEnded) other.destroy();
    });
  }
}
