/** A published UDP port: each client has a stream to the guest, until it has been silent for long. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { Duplex } from 'node:stream';
import { DatagramDecoder, encodeDatagram } from '../../../channel/datagrams.ts';
import type { PublishRequest } from '../../../channel/port-requests.ts';
import { clientTarget, type OpenStream, type PublishedPort } from './publish-tcp.ts';

/** As the engine's own forwarder does. */
const DEFAULT_IDLE_MS = 90_000;
/** Clients at once; beyond that the one that came first is forgotten. */
const MAX_FLOWS = 1024;

interface Flow {
  readonly stream: Duplex;
  readonly timer: NodeJS.Timeout;
}

/** Rejects with the system's error when the port cannot be had. */
export async function publishUdp(
  request: PublishRequest,
  open: OpenStream,
  idleMs = DEFAULT_IDLE_MS,
): Promise<PublishedPort> {
  const isIpv6 = request.hostIp.includes(':');
  const socket = createSocket({ type: isIpv6 ? 'udp6' : 'udp4', ipv6Only: isIpv6 });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: request.hostIp, port: request.hostPort, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  const hostPort = socket.address().port;
  const flows = new Flows(socket, (client) => open(clientTarget(request, client)), idleMs);
  socket.on('error', () => undefined);
  socket.on('message', (datagram, from) => flows.receive(datagram, from));
  return { hostPort, close: () => flows.close() };
}

/** The clients of one port. */
class Flows {
  readonly #socket: Socket;
  readonly #open: (client: { address: string; port: number }) => Duplex;
  readonly #idleMs: number;
  readonly #flows = new Map<string, Flow>();
  #isClosed = false;

  constructor(
    socket: Socket,
    open: (client: { address: string; port: number }) => Duplex,
    idleMs: number,
  ) {
    this.#socket = socket;
    this.#open = open;
    this.#idleMs = idleMs;
  }

  /** A datagram that the guest does not take fast enough is lost, as UDP may lose it. */
  receive(datagram: Buffer, { address, port }: RemoteInfo): void {
    const { stream, timer } = this.#flowOf({ address, port });
    timer.refresh();
    if (!stream.writableNeedDrain) stream.write(encodeDatagram(datagram));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { stream } of [...this.#flows.values()]) stream.destroy();
    this.#socket.close();
  }

  #flowOf(client: { address: string; port: number }): Flow {
    const key = `${client.address} ${client.port}`;
    const known = this.#flows.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#flows.values();
    if (this.#flows.size >= MAX_FLOWS) oldest?.stream.destroy();
    const stream = this.#open(client);
    const timer = setTimeout(() => stream.destroy(), this.#idleMs);
    timer.unref();
    const flow = { stream, timer };
    this.#flows.set(key, flow);
    const decoder = new DatagramDecoder();
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      timer.refresh();
      for (const datagram of decoder.push(chunk)) this.#answer(datagram, client);
    });
    stream.once('close', () => {
      clearTimeout(timer);
      if (this.#flows.get(key) === flow) this.#flows.delete(key);
    });
    return flow;
  }

  #answer(datagram: Buffer, { address, port }: { address: string; port: number }): void {
    if (!this.#isClosed) this.#socket.send(datagram, port, address, () => undefined);
  }
}
