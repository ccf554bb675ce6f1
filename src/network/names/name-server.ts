/** Listens for the DNS queries of one container, at Docker's address inside of its namespace. */

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { closeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { systemCode } from '../../shared/errors.ts';
import { bindSocket } from '../../sys/listening-socket.ts';
import { withNetworkNamespace } from '../../sys/ns/network-namespace.ts';
import type { Transport } from './answer-query.ts';
import { NAME_SERVER_ADDRESS } from './name-server-address.ts';
import { frameMessage, MessageReader } from './tcp-messages.ts';

const PORT = 53;
/** A client that asks nothing for so long is hung up on. */
const IDLE_MS = 10_000;

/** What comes back for a datagram whose client is gone; the socket itself is well. */
const CLIENT_GONE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EPERM']);

/** Answers a message; undefined for one that deserves none. */
export type Responder = (message: Buffer, transport: Transport) => Promise<Buffer | undefined>;

/** What a server does with messages, and whom it tells of its own end. */
export interface NameServerCallbacks {
  readonly respond: Responder;
  /** Called once, when a socket fails or closes by itself. */
  onFailure(error: unknown): void;
}

/** A pair of sockets that is served until it is closed. */
export class NameServer {
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #clients = new Set<Socket>();
  readonly #callbacks: NameServerCallbacks;
  #isOver = false;

  private constructor(udp: UdpSocket, tcp: Server, callbacks: NameServerCallbacks) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#callbacks = callbacks;
  }

  /** Binds both sockets in the namespace and serves them. `conflict` when a process inside has the port. */
  static async open(netnsPath: string, callbacks: NameServerCallbacks): Promise<NameServer> {
    const { udpFd, tcpFd } = withNetworkNamespace(netnsPath, bindBoth);
    const { respond } = callbacks;
    const udp = createSocket('udp4');
    const tcp = createServer();
    const server = new NameServer(udp, tcp, callbacks);
    udp.on('message', (message, from) => {
      respond(message, 'udp').then(
        (answer) => answer !== undefined && udp.send(answer, from.port, from.address, ignore),
        ignore,
      );
    });
    tcp.on('connection', (client) => server.#serve(client, respond));
    await Promise.all([
      new Promise<void>((resolve) => udp.bind({ fd: udpFd }, resolve)),
      new Promise<void>((resolve) => tcp.listen({ fd: tcpFd }, resolve)),
    ]);
    udp.on('error', (error) => {
      if (!CLIENT_GONE.has(systemCode(error) ?? '')) server.#fail(error);
    });
    tcp.on('error', (error) => server.#fail(error));
    return server;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callbacks.onFailure(error);
  }

  /** Stops listening and hangs up. */
  async close(): Promise<void> {
    this.#isOver = true;
    for (const client of this.#clients) client.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(() => resolve())),
      new Promise<void>((resolve) => this.#tcp.close(() => resolve())),
    ]);
  }

  #serve(client: Socket, respond: Responder): void {
    this.#clients.add(client);
    client.setTimeout(IDLE_MS, () => client.destroy());
    client.on('error', ignore);
    client.on('close', () => this.#clients.delete(client));
    const reader = new MessageReader((message) => {
      respond(message, 'tcp').then(
        (answer) => answer !== undefined && !client.destroyed && client.write(frameMessage(answer)),
        ignore,
      );
    });
    client.on('data', (chunk) => reader.push(chunk));
  }
}

function bindBoth(): { udpFd: number; tcpFd: number } {
  const where = { hostIp: NAME_SERVER_ADDRESS, hostPort: PORT };
  const udpFd = bindSocket({ protocol: 'udp', ...where }).fd;
  try {
    return { udpFd, tcpFd: bindSocket({ protocol: 'tcp', ...where }).fd };
  } catch (error) {
    closeSync(udpFd);
    throw error;
  }
}

function ignore(): void {
  return;
}
