/**
 * Published ports of a daemon in a virtual machine: bound on the computer around it, which leads their clients to listeners
 * in here. A port is published as long as the connection is open by which it was asked for.
 */
import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { DOOR, type PublishRequest } from '../../channel/port-requests.ts';
import type { ListenerName } from '../../handshake/messages.ts';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import { randomId } from '../../shared/ids.ts';
import type { Logger } from '../../shared/logger.ts';
import { bindSocket, boundPort } from '../../sys/listening-socket.ts';
import { cannotConnect, cannotListen } from '../host-errors.ts';
import type { ListenerRegistry } from '../listener-registry.ts';
import { askOuterHost } from './outer-host.ts';

export interface OuterPortsOptions {
  /** Socket of the machine's agent. */
  readonly agent: string;
  readonly listeners: ListenerRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What an engine may ask to be bound. */
type PortRequest = Pick<PublishRequest, 'protocol' | 'hostIp' | 'hostPort'>;

const RETRY_MS = 300;

export class OuterPorts {
  readonly #options: OuterPortsOptions;
  /** By the id of the listener. */
  readonly #published = new Map<string, Socket | undefined>();

  constructor(options: OuterPortsOptions) {
    this.#options = options;
  }

  /** Publishes a port. `conflict` with `details.code` when it cannot be bound outside, `unavailable` when nobody answers. */
  async open({ protocol, hostIp, hostPort }: PortRequest): Promise<ListenerName> {
    const bound = bindSocket({ protocol, hostIp: doorOf(hostIp), hostPort: 0 });
    const listenerId = randomId();
    try {
      const guestPort = bound.hostPort;
      const publication = await this.#ask({ op: 'publish', protocol, hostIp, hostPort, guestPort });
      const name = { listenerId, protocol, hostIp, hostPort: publication.hostPort };
      this.#keep(name, guestPort, publication.socket);
      return this.#options.listeners.adopt(name, bound.fd);
    } catch (error) {
      closeSync(bound.fd);
      throw error;
    }
  }

  /** Publishes a port again whose listener has come back from the engine. */
  publishAgain(name: ListenerName): void {
    if (name.protocol === 'api') return;
    this.#published.set(name.listenerId, undefined);
    const guestPort = boundPort(this.#options.listeners.descriptor(name.listenerId));
    this.#retry(name, guestPort).catch((error: unknown) => this.#report(name, error));
  }

  /** Withdraws a port. Idempotent. */
  close(listenerId: string): void {
    const socket = this.#published.get(listenerId);
    this.#published.delete(listenerId);
    socket?.destroy();
  }

  /** A connection of the computer around: nothing of it has been read. `unavailable` when there is none. */
  async connect(host: string, port: number): Promise<Socket> {
    const { answer, socket } = await askOuterHost(this.#options.agent, {
      op: 'connect',
      host,
      port,
    });
    if (answer.code === undefined) return socket;
    socket.destroy();
    throw cannotConnect(`${host}:${port}`, answer.code, undefined);
  }

  async #ask(request: PublishRequest): Promise<{ socket: Socket; hostPort: number }> {
    const { answer, socket } = await askOuterHost(this.#options.agent, request);
    if (answer.code === undefined) {
      return { socket, hostPort: answer.hostPort ?? request.hostPort };
    }
    socket.destroy();
    const { protocol, hostIp, hostPort } = request;
    const where = hostIp.includes(':') ? `[${hostIp}]` : hostIp;
    throw cannotListen(`${protocol} ${where}:${hostPort}`, answer.code, undefined);
  }

  /** The connection ends when the host's process ends; the next one is told again. */
  #keep(name: ListenerName, guestPort: number, socket: Socket): void {
    this.#published.set(name.listenerId, socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      if (this.#published.get(name.listenerId) !== socket) return;
      this.#retry(name, guestPort).catch((error: unknown) => this.#report(name, error));
    });
    socket.resume();
  }

  async #retry(name: ListenerName, guestPort: number): Promise<void> {
    const { protocol, hostIp, hostPort, listenerId } = name;
    if (protocol === 'api') return;
    let isTold = false;
    while (this.#published.has(listenerId)) {
      try {
        const request = { op: 'publish', protocol, hostIp, hostPort, guestPort } as const;
        const { socket } = await this.#ask(request);
        if (this.#published.has(listenerId)) this.#keep(name, guestPort, socket);
        else socket.destroy();
        return;
      } catch (error) {
        if (!isTold) this.#report(name, error);
        isTold = true;
      }
      await this.#options.clock.sleep(RETRY_MS);
    }
  }

  #report({ hostIp, hostPort }: ListenerName, error: unknown): void {
    const reason = messageOf(error);
    this.#options.logger.warn('a published port is not reached for now', {
      hostIp,
      hostPort,
      reason,
    });
  }
}

function doorOf(hostIp: string): string {
  return hostIp.includes(':') ? DOOR.ipv6 : DOOR.ipv4;
}

/** The part of a session that only a daemon in a virtual machine has. */
export function outerPorts(
  {
    outerHost,
    clock,
    logger,
  }: Pick<OuterPortsOptions, 'clock' | 'logger'> & { outerHost?: string },
  listeners: ListenerRegistry,
): { outer?: OuterPorts } {
  if (outerHost === undefined) return {};
  return { outer: new OuterPorts({ agent: outerHost, listeners, clock, logger }) };
}
