/** Publishes ports of containers on the host and carries their traffic. */
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { bindSocket } from '../../sys/listening-socket.ts';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { connectFrom, peerOf } from '../../sys/transparent-socket.ts';
import { bindFailed, type PublishFailure, portAllocated } from '../network-errors.ts';
import type { HostListener, HostListeners } from '../port-publisher.ts';
import type { PublishedPort, PublishRequest } from '../sandbox-service.ts';
import { type BindRefusal, bindPort, codeOf, giveBack } from './bind-port.ts';
import type { Forwarder, ForwardTarget } from './forwarder.ts';
import type { SourceAddresses } from './source-addresses.ts';
import type { ConnectUpstream } from './tcp-connection.ts';
import { TcpForwarder } from './tcp-forwarder.ts';
import { UdpForwarder } from './udp-forwarder.ts';

/** The container end of published ports. */
export interface PublishTarget {
  /** For messages: the container's name and the endpoint's id. */
  readonly endpointName: string;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
}

/** A port that is bound on the host, with the host's name for the socket. */
export interface BoundPort extends PublishedPort {
  readonly listenerId: string;
}

/** Ports of one container. */
export interface Publication {
  readonly ports: readonly BoundPort[];
  /** Unbinds all ports and cuts their connections. Goes on after failures, then throws them. Idempotent. */
  close(): Promise<void>;
}

interface ServedPort {
  readonly port: BoundPort;
  readonly forwarders: readonly Forwarder[];
}

const ANY_IPV4 = '0.0.0.0';

/** What ports are published with. */
export interface PublisherOptions {
  readonly host: HostListeners;
  readonly sources: SourceAddresses;
  /** Privileged ports that the host refuses become others. */
  readonly remapsPrivileged: boolean;
  readonly logger: Logger;
}

/** The only user of the host's listeners. */
export class Publisher {
  readonly #host: HostListeners;
  readonly #sources: SourceAddresses;
  readonly #remapsPrivileged: boolean;
  readonly #logger: Logger;
  readonly #served = new Set<ServedPort>();

  constructor({ host, sources, remapsPrivileged, logger }: PublisherOptions) {
    this.#host = host;
    this.#sources = sources;
    this.#remapsPrivileged = remapsPrivileged;
    this.#logger = logger;
  }

  /** Binds and serves all ports, or none: a refusal is thrown with Docker's text and nothing remains. */
  async publish(target: PublishTarget, requests: readonly PublishRequest[]): Promise<Publication> {
    const served: ServedPort[] = [];
    try {
      for (const request of requests) {
        served.push(...(await this.#publishOne(target, request)));
      }
    } catch (error) {
      await this.#closeAll(served).catch((failure: unknown) => this.#report(failure));
      throw error;
    }
    return this.#publication(served);
  }

  /**
   * Serves ports of a container that survived an engine restart: takes over what the host still holds, binds
   * anew what it lost. A port that someone else took meanwhile is left out with a warning: the container runs.
   */
  async restore(target: PublishTarget, ports: readonly BoundPort[]): Promise<Publication> {
    if (ports.length === 0) return this.#publication([]);
    const held = new Set((await this.#host.held()).map(({ listenerId }) => listenerId));
    const served: ServedPort[] = [];
    for (const port of ports) {
      try {
        const listener = held.has(port.listenerId)
          ? await this.#host.adopt(port.listenerId)
          : await this.#host.open(port);
        served.push(await this.#serve(listener, port, target));
      } catch (error) {
        const { protocol, hostIp, hostPort } = port;
        const reason = messageOf(error);
        this.#logger.warn('a published port is lost', { protocol, hostIp, hostPort, reason });
      }
    }
    return this.#publication(served);
  }

  /** Closes what the host still holds of these ports, which this process does not serve. Idempotent. */
  async discard(ports: readonly BoundPort[]): Promise<void> {
    if (ports.length === 0) return;
    const held = new Set((await this.#host.held()).map(({ listenerId }) => listenerId));
    for (const { listenerId } of ports) {
      if (held.has(listenerId)) await this.#host.close(listenerId);
    }
  }

  /** Closes listeners that the host holds for nobody, e.g. of a start that a crash interrupted. */
  async closeStrays(known: ReadonlySet<string>): Promise<void> {
    for (const { listenerId } of await this.#host.held()) {
      if (!known.has(listenerId)) await this.#host.close(listenerId);
    }
  }

  async #publishOne(target: PublishTarget, request: PublishRequest): Promise<ServedPort[]> {
    const outcome = await bindPort(this.#host, request, {
      remapsPrivileged: this.#remapsPrivileged,
    });
    if ('refusal' in outcome) throw this.#explain(target, request, outcome.refusal);
    const served: ServedPort[] = [];
    const waiting = [...outcome.listeners];
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        served.push(await this.#serve(next, request, target));
      }
      return served;
    } catch (error) {
      await this.#closeAll(served);
      for (const listener of waiting) await giveBack(this.#host, listener);
      throw error;
    }
  }

  async #serve(
    listener: HostListener,
    request: Pick<PublishRequest, 'protocol' | 'containerPort'>,
    target: PublishTarget,
  ): Promise<ServedPort> {
    const { protocol, containerPort } = request;
    const { listenerId, hostIp, hostPort } = listener;
    try {
      const { ipAddress, prefixLength } = target;
      const container = { ipAddress, prefixLength, port: containerPort };
      const forwarder = await this.#forward(listener, protocol, container);
      const port = { protocol, containerPort, hostIp, hostPort, listenerId };
      const inside = hostIp === ANY_IPV4 ? await this.#serveInside(port, container) : [];
      const served = { port, forwarders: [forwarder, ...inside] };
      this.#served.add(served);
      return served;
    } catch (error) {
      await giveBack(this.#host, listener);
      throw error;
    }
  }

  #publication(served: readonly ServedPort[]): Publication {
    return {
      ports: served.map(({ port }) => port),
      close: () => this.#closeAll(served),
    };
  }

  async #closeAll(served: readonly ServedPort[]): Promise<void> {
    const failures: unknown[] = [];
    for (const entry of served.filter((candidate) => this.#served.delete(candidate))) {
      const closing = entry.forwarders.map((forwarder) => forwarder.close());
      const steps = [...closing, this.#host.close(entry.port.listenerId)];
      for (const outcome of await Promise.allSettled(steps)) {
        if (outcome.status === 'rejected') failures.push(outcome.reason);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'unpublish ports');
  }

  #explain(target: PublishTarget, request: PublishRequest, refusal: BindRefusal): Error {
    const failure: PublishFailure = {
      endpointName: target.endpointName,
      endpointId: target.endpointId,
      protocol: request.protocol,
      hostIp: refusal.hostIp,
      hostPort: refusal.hostPort,
      containerIp: target.ipAddress,
      containerPort: request.containerPort,
    };
    const ours = codeOf(refusal.cause) === 'EADDRINUSE' && this.#holds(request, refusal.hostIp);
    return ours ? portAllocated(failure) : bindFailed(failure, refusal.cause);
  }

  /** True when a container of ours is bound to the port on an address that overlaps. */
  #holds(request: PublishRequest, hostIp: string): boolean {
    const isAny = (ip: string) => ip === '0.0.0.0' || ip === '::';
    return [...this.#served].some(
      ({ port }) =>
        port.protocol === request.protocol &&
        port.hostPort === request.hostPort &&
        port.hostIp.includes(':') === hostIp.includes(':') &&
        (port.hostIp === hostIp || isAny(port.hostIp) || isAny(hostIp)),
    );
  }

  /** Containers reach a port that is published on all addresses by that of their own gateway as well. */
  async #serveInside(port: BoundPort, container: ForwardTarget): Promise<readonly Forwarder[]> {
    const { protocol, hostPort } = port;
    try {
      const bound = bindSocket({ protocol, hostIp: ANY_IPV4, hostPort });
      return [await this.#forward(bound, protocol, container)];
    } catch (error) {
      const reason = messageOf(error);
      this.#logger.debug('a published port has no way for containers', { hostPort, reason });
      return [];
    }
  }

  async #forward(
    listener: Pick<HostListener, 'fd' | 'hostIp'>,
    protocol: 'tcp' | 'udp',
    target: ForwardTarget,
  ): Promise<Forwarder> {
    const { fd, hostIp } = listener;
    const sources = this.#sources;
    if (protocol === 'tcp') return TcpForwarder.listen(fd, toContainer(target, sources));
    const family = hostIp.includes(':') ? 'udp6' : 'udp4';
    return await UdpForwarder.listen({ fd, family, target, sources });
  }

  #report(error: unknown): void {
    this.#logger.warn('a published port could not be undone', { error });
  }
}

/** Connections to a container, in the name of the client where that can be. */
export function toContainer(target: ForwardTarget, sources: SourceAddresses): ConnectUpstream {
  const container = { address: parseIpv4(target.ipAddress) ?? 0, port: target.port };
  return (clientFd) => connectFrom(container, sources.of(peerOf(clientFd), target));
}
