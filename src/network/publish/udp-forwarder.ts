/** Carries UDP datagrams from a bound socket of the host to a container and its answers back. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { openDatagramSocket } from '../../sys/transparent-socket.ts';
import type { Forwarder, ForwardTarget } from './forwarder.ts';
import type { SourceAddresses } from './source-addresses.ts';

/** A client is forgotten after this long without a datagram in either direction; as Docker's own proxy does. */
export const DEFAULT_IDLE_MS = 90_000;

/** Datagrams of a client that wait for its socket to be connected; more are dropped, as UDP may. */
const MAX_WAITING = 64;

/** Clients remembered at once; beyond that the one that came first is forgotten. Each costs a descriptor. */
const MAX_FLOWS = 1024;

/** How to serve a socket. */
export interface UdpForwardOptions {
  readonly fd: number;
  readonly family: 'udp4' | 'udp6';
  readonly target: ForwardTarget;
  readonly sources: SourceAddresses;
  readonly idleMs?: number;
}

/** One client: its own socket towards the container, so that answers find their way back. */
interface Flow {
  readonly upstream: Socket;
  readonly timer: NodeJS.Timeout;
  /** Undefined once the socket is connected. */
  waiting: Buffer[] | undefined;
}

/** Serves one bound socket. */
export class UdpForwarder implements Forwarder {
  readonly #listener: Socket;
  readonly #options: UdpForwardOptions;
  readonly #flows = new Map<string, Flow>();
  #closed = false;

  private constructor(listener: Socket, options: UdpForwardOptions) {
    this.#listener = listener;
    this.#options = options;
  }

  /** Serves the bound socket `fd`, which belongs to the forwarder from here on. */
  static async listen(options: UdpForwardOptions): Promise<UdpForwarder> {
    const listener = createSocket(options.family);
    const forwarder = new UdpForwarder(listener, options);
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.bind({ fd: options.fd }, () => {
        listener.off('error', reject);
        resolve();
      });
    });
    // An answer that a client no longer wants comes back as an error of the shared socket.
    listener.on('error', ignore);
    listener.on('message', (datagram, from) => forwarder.#fromClient(datagram, from));
    return forwarder;
  }

  /** Clients that are remembered now. */
  get flowCount(): number {
    return this.#flows.size;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const key of [...this.#flows.keys()]) this.#forget(key);
    await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  #fromClient(datagram: Buffer, from: RemoteInfo): void {
    const key = `${from.address} ${from.port}`;
    const flow = this.#flows.get(key) ?? this.#tryBegin(key, from);
    if (flow === undefined) return;
    flow.timer.refresh();
    if (flow.waiting === undefined) flow.upstream.send(datagram, ignore);
    else if (flow.waiting.length < MAX_WAITING) flow.waiting.push(datagram);
  }

  /** Undefined when there are no descriptors left: the datagram is lost, as UDP may lose it. */
  #tryBegin(key: string, client: RemoteInfo): Flow | undefined {
    const [oldest] = this.#flows.keys();
    if (this.#flows.size >= MAX_FLOWS && oldest !== undefined) this.#forget(oldest);
    try {
      return this.#begin(key, client, this.#borrowed(client));
    } catch {
      return undefined;
    }
  }

  #begin(key: string, client: RemoteInfo, fd: number | undefined): Flow {
    const upstream = createSocket('udp4');
    const timer = setTimeout(() => this.#forget(key), this.#options.idleMs ?? DEFAULT_IDLE_MS);
    timer.unref();
    const flow: Flow = { upstream, timer, waiting: [] };
    this.#flows.set(key, flow);
    // Nothing listens in the container: later datagrams may find it started.
    upstream.on('error', ignore);
    upstream.on('message', (answer) => {
      timer.refresh();
      if (!this.#closed) this.#listener.send(answer, client.port, client.address, ignore);
    });
    const { ipAddress, port } = this.#options.target;
    if (fd !== undefined) upstream.bind({ fd });
    upstream.connect(port, ipAddress, () => {
      for (const datagram of flow.waiting ?? []) upstream.send(datagram, ignore);
      flow.waiting = undefined;
    });
    return flow;
  }

  /** A socket that speaks to the container in the client's name; undefined when that cannot be had. */
  #borrowed(client: RemoteInfo): number | undefined {
    const { target, sources } = this.#options;
    const address = parseIpv4(client.address);
    const peer = address === undefined ? undefined : { address, port: client.port };
    const source = sources.of(peer, target);
    return source === undefined ? undefined : openDatagramSocket(source);
  }

  #forget(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    clearTimeout(flow.timer);
    flow.upstream.close();
  }
}

function ignore(): undefined {
  return undefined;
}
