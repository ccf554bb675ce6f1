/** Names on user-defined networks: one table, and a name server inside of every container that may ask it. */

import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import { type ContainerId, shortId } from '../../shared/ids.ts';
import type { Logger } from '../../shared/logger.ts';
import { HOST_NAME } from '../name-files.ts';
import type { Endpoint } from '../sandbox-service.ts';
import {
  answerQuery,
  decodeQuery,
  failQuery,
  ResponseCode,
  type Transport,
} from './answer-query.ts';
import { forwardQuery } from './forward-query.ts';
import { KeptNameServer } from './kept-name-server.ts';
import type { Responder } from './name-server.ts';
import { isNamed, NameTable } from './name-table.ts';
import { UpstreamHealth } from './upstream-health.ts';

/** Questions that wait for servers outside at once; more fail at once instead of piling up. */
const MAX_FORWARDED = 1024;

/** The name that Docker Desktop has for the host; here every network with names has it. */

/** What names are answered with besides those of containers. */
export interface NameServiceOptions {
  /** Servers for outside names, for containers that name none. */
  readonly upstreams: readonly string[];
  /** The host as containers reach it; empty when it has no such address. */
  readonly hostAddress: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A container whose names are kept. */
export interface NamedSandbox {
  readonly containerId: ContainerId;
  readonly netnsPath: string;
  readonly endpoints: readonly Endpoint[];
  /** Servers for outside names, instead of the engine's own. */
  readonly nameservers: readonly string[] | undefined;
}

/** Knows the names of all live sandboxes and answers for them. */
export class NameService {
  readonly #table = new NameTable();
  readonly #servers = new Map<ContainerId, KeptNameServer>();
  readonly #options: NameServiceOptions;
  readonly #health: UpstreamHealth;
  /** Makes the addresses of a shared name take turns. */
  #turn = 0;
  #forwarded = 0;

  constructor(options: NameServiceOptions) {
    this.#options = options;
    this.#health = new UpstreamHealth(options.clock);
  }

  /**
   * Makes the names of a sandbox what its endpoints say, and listens inside while it is on a network with names.
   * A port that is taken inside is warned about: the container runs without our names.
   */
  async update(sandbox: NamedSandbox): Promise<void> {
    const { containerId, netnsPath, endpoints } = sandbox;
    this.#table.set(containerId, endpoints);
    if (!endpoints.some(isNamed) || this.#servers.has(containerId)) return;
    const { logger } = this.#options;
    const upstreams = sandbox.nameservers ?? this.#options.upstreams;
    const respond: Responder = (message, transport) =>
      this.#respond(message, transport, { containerId, upstreams });
    try {
      const server = await KeptNameServer.open({ netnsPath, respond, logger });
      this.#servers.set(containerId, server);
    } catch (error) {
      const reason = messageOf(error);
      logger.warn('a container has no name service', {
        container: shortId(containerId),
        reason,
      });
    }
  }

  /** Forgets the names of a sandbox and stops listening in it. Idempotent. */
  async remove(containerId: ContainerId): Promise<void> {
    this.#table.delete(containerId);
    const server = this.#servers.get(containerId);
    this.#servers.delete(containerId);
    await server?.close();
  }

  async #respond(
    message: Buffer,
    transport: Transport,
    asker: { readonly containerId: ContainerId; readonly upstreams: readonly string[] },
  ): Promise<Buffer | undefined> {
    const query = decodeQuery(message);
    if (query === undefined) return undefined;
    const { containerId, upstreams } = asker;
    const known = {
      addressesOf: (name: string) =>
        this.#inTurn(this.#table.addressesOf(containerId, name)) ?? this.#hostAddress(name),
      nameOf: (address: string) => this.#table.nameOf(containerId, address),
    };
    const own = answerQuery(query, known, transport);
    if (own !== undefined) return own;
    const mayAsk = this.#table.reachesOutside(containerId) && this.#forwarded < MAX_FORWARDED;
    const servers = mayAsk ? upstreams : [];
    this.#forwarded++;
    try {
      const answer = await forwardQuery({ message, transport, servers }, this.#health);
      return answer ?? failQuery(query, ResponseCode.serverFailure);
    } finally {
      this.#forwarded--;
    }
  }

  #hostAddress(name: string): readonly string[] | undefined {
    const { hostAddress } = this.#options;
    return hostAddress !== '' && name.toLowerCase() === HOST_NAME ? [hostAddress] : undefined;
  }

  #inTurn(addresses: readonly string[] | undefined): readonly string[] | undefined {
    if (addresses === undefined || addresses.length < 2) return addresses;
    this.#turn = (this.#turn + 1) % addresses.length;
    return [...addresses.slice(this.#turn), ...addresses.slice(0, this.#turn)];
  }
}
