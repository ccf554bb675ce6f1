/** Answers questions for names, which come as datagrams, by asking the host's servers from a socket of the host. */
import { randomInt } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { HostListeners } from '../port-publisher.ts';
import { RELAY_ADDRESS } from './proxy-rules.ts';

const DNS_PORT = 53;
const HEADER_BYTES = 12;
/** Each server's time to answer; resolvers in containers wait 5 s. */
const PATIENCE_MS = 2_000;
/** Questions that wait at once; more are dropped, as UDP may. */
const MAX_WAITING = 1024;

/** A question that has been asked and not yet answered. */
interface Waiting {
  readonly client: RemoteInfo;
  readonly question: Buffer;
  readonly servers: readonly string[];
  readonly timer: NodeJS.Timeout;
}

/** One relay, which listens at `RELAY_ADDRESS`. An answer that is cut short sends clients to TCP, which the proxy carries. */
export class NameRelay {
  readonly #clients: Socket;
  readonly #outside: Socket;
  /** By the identifier that the question has outside. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #resolvers: readonly string[];

  private constructor(clients: Socket, outside: Socket, resolvers: readonly string[]) {
    this.#clients = clients;
    this.#outside = outside;
    this.#resolvers = resolvers;
  }

  /** Rejects when the address cannot be had, or no socket of the host. Servers that have no IPv4 address are left out. */
  static async open(host: HostListeners, resolvers: readonly string[]): Promise<NameRelay> {
    const { fd, listenerId } = await host.open({
      ...{ protocol: 'udp', hostIp: '0.0.0.0', hostPort: 0 },
    });
    // The socket is ours alone from here on: it has no meaning for a later engine.
    await host.close(listenerId);
    const outside = createSocket('udp4');
    await bound(outside, { fd });
    const clients = createSocket('udp4');
    await bound(clients, { port: DNS_PORT, address: RELAY_ADDRESS });
    const relay = new NameRelay(clients, outside, resolvers.filter(isIPv4));
    clients.on('message', (question, client) => relay.#hear(question, client));
    outside.on('message', (answer, server) => relay.#answer(answer, server));
    return relay;
  }

  #hear(question: Buffer, client: RemoteInfo): void {
    if (question.length < HEADER_BYTES || this.#waiting.size >= MAX_WAITING) return;
    this.#ask(question, client, this.#resolvers);
  }

  #ask(question: Buffer, client: RemoteInfo, servers: readonly string[]): void {
    const [server, ...others] = servers;
    if (server === undefined) return;
    // One that nobody outside can guess, and not the client's: two clients may have chosen the same.
    const id = randomInt(0x10000);
    if (this.#waiting.has(id)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      this.#ask(question, client, others);
    }, PATIENCE_MS);
    timer.unref();
    this.#waiting.set(id, { client, question, servers, timer });
    this.#outside.send(withIdentifier(question, id), DNS_PORT, server, ignore);
  }

  #answer(answer: Buffer, server: RemoteInfo): void {
    if (answer.length < HEADER_BYTES) return;
    const id = answer.readUInt16BE(0);
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || waiting.servers[0] !== server.address) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    const { client, question } = waiting;
    const reply = withIdentifier(answer, question.readUInt16BE(0));
    this.#clients.send(reply, client.port, client.address, ignore);
  }
}

async function bound(
  socket: Socket,
  where: { readonly fd: number } | { readonly port: number; readonly address: string },
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(where, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // Refusals of single datagrams come as errors of the socket.
  socket.on('error', ignore);
  socket.unref();
}

function withIdentifier(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

function ignore(): undefined {
  return undefined;
}
