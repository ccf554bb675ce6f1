/** Names on user-defined networks: one table, and a name server inside of every container that may ask it. */
import { messageOf } from '../../shared/errors.ts';
import { type ContainerId, shortId } from '../../shared/ids.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Endpoint } from '../sandbox-service.ts';
import {
  answerQuery,
  decodeQuery,
  failQuery,
  ResponseCode,
  type Transport,
} from './answer-query.ts';
import { forwardQuery } from './forward-query.ts';
import { NameServer } from './name-server.ts';
import { isNamed, NameTable } from './name-table.ts';

/** Questions that wait for servers outside at once; more fail at once instead of piling up. */
const MAX_FORWARDED = 1024;

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
  readonly #servers = new Map<ContainerId, NameServer>();
  readonly #upstreams: readonly string[];
  readonly #logger: Logger;
  /** Makes the addresses of a shared name take turns. */
  #turn = 0;
  #forwarded = 0;

  constructor(upstreams: readonly string[], logger: Logger) {
    this.#upstreams = upstreams;
    this.#logger = logger;
  }

  /**
   * Makes the names of a sandbox what its endpoints say, and listens inside while it is on a network with names.
   * A port that is taken inside is warned about: the container runs without our names.
   */
  async update(sandbox: NamedSandbox): Promise<void> {
    const { containerId, netnsPath, endpoints } = sandbox;
    this.#table.set(containerId, endpoints);
    if (!endpoints.some(isNamed) || this.#servers.has(containerId)) return;
    const upstreams = sandbox.nameservers ?? this.#upstreams;
    try {
      const server = await NameServer.open(netnsPath, (message, transport) =>
        this.#respond(message, transport, { containerId, upstreams }),
      );
      this.#servers.set(containerId, server);
    } catch (error) {
      const reason = messageOf(error);
      this.#logger.warn('a container has no name service', {
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
      addressesOf: (name: string) => this.#inTurn(this.#table.addressesOf(containerId, name)),
      nameOf: (address: string) => this.#table.nameOf(containerId, address),
    };
    const own = answerQuery(query, known, transport);
    if (own !== undefined) return own;
    const mayAsk = this.#table.reachesOutside(containerId) && this.#forwarded < MAX_FORWARDED;
    const servers = mayAsk ? upstreams : [];
    this.#forwarded++;
    try {
      const answer = await forwardQuery({ message, transport, servers });
      return answer ?? failQuery(query, ResponseCode.serverFailure);
    } finally {
      this.#forwarded--;
    }
  }

  #inTurn(addresses: readonly string[] | undefined): readonly string[] | undefined {
    if (addresses === undefined || addresses.length < 2) return addresses;
    this.#turn = (this.#turn + 1) % addresses.length;
    return [...addresses.slice(this.#turn), ...addresses.slice(0, this.#turn)];
  }
}
