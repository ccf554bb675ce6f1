/** Networks as the API lists them, with the containers that are on them now, and the verbs on them. */
import type {
  CreatedNetworkView,
  NetworkBackend,
  NetworkMember,
  NetworkView,
} from '../../api/network-backend.ts';
import type { NetworkRecord } from '../../network/network-record.ts';
import type { NetworkStore } from '../../network/network-store.ts';
import { kindOf } from '../../shared/errors.ts';
import { isPredefined } from '../../shared/predefined-networks.ts';
import type { EndpointSettings } from '../../wire/container-config.ts';
import { assertKnownFilters, booleanFilter, type Filters } from '../../wire/filters.ts';
import type { CreateNetworkBody } from '../../wire/network-bodies.ts';
import { connectNetwork, disconnectNetwork } from '../containers/connect-network.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import { liveStatus } from '../containers/container-status.ts';
import { matchesLabels } from '../label-filter.ts';
import { untilMs } from '../until-filter.ts';
import { findNetwork } from './find-network.ts';
import { cannotRemovePredefined } from './network-errors.ts';
import { networkSpec } from './network-spec.ts';

export interface NetworkDeps {
  readonly networks: NetworkStore;
  readonly containers: ContainerDeps;
}

type Test = (network: NetworkRecord, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  driver: (network, value) => network.driver === value,
  id: (network, value) => network.id.startsWith(value),
  name: (network, value) => network.name.includes(value),
  scope: (_network, value) => value === 'local',
  type: (network, value) => value === (isPredefined(network.name) ? 'builtin' : 'custom'),
};
const LIST_FILTERS = [...Object.keys(TESTS), 'dangling', 'label'];
const PRUNE_FILTERS = ['label', 'label!', 'until'];

export class NetworkService implements NetworkBackend {
  readonly #deps: NetworkDeps;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
  }

  async list(filters: Filters): Promise<readonly NetworkView[]> {
    assertKnownFilters(filters, LIST_FILTERS);
    const dangling = booleanFilter(filters, 'dangling');
    return this.#deps.networks
      .list()
      .filter((network) =>
        Object.entries(TESTS).every(([name, matches]) => {
          const values = filters.get(name) ?? [];
          return values.length === 0 || values.some((value) => matches(network, value));
        }),
      )
      .filter((network) => matchesLabels(network.labels ?? {}, filters))
      .filter((network) => dangling === undefined || dangling === this.#isDangling(network))
      .map((record) => this.#view(record));
  }

  /** By name, id or unique prefix of an id. */
  async inspect(ref: string): Promise<NetworkView> {
    return this.#view(this.#find(ref));
  }

  async create(body: CreateNetworkBody): Promise<CreatedNetworkView> {
    const { record, warnings } = await this.#deps.networks.create(networkSpec(body));
    this.#publish(record, 'create');
    return { id: record.id, warnings };
  }

  /** `forbidden` for predefined networks and while running containers are on it. */
  async remove(ref: string): Promise<void> {
    const record = this.#find(ref);
    if (isPredefined(record.name)) throw cannotRemovePredefined(record.name);
    await this.#deps.networks.remove(record.id);
    this.#publish(record, 'destroy');
  }

  async connect(ref: string, containerRef: string, settings: EndpointSettings): Promise<void> {
    const network = this.#find(ref);
    const { containers } = this.#deps;
    const container = await connectNetwork(containers, { containerRef, network }, settings);
    this.#publishIfRunning(network, 'connect', container);
  }

  async disconnect(ref: string, containerRef: string): Promise<void> {
    const network = this.#find(ref);
    const container = await disconnectNetwork(this.#deps.containers, { containerRef, network });
    this.#publishIfRunning(network, 'disconnect', container);
  }

  /** Removes the networks that no running container is on, and returns their names. */
  async prune(filters: Filters): Promise<readonly string[]> {
    assertKnownFilters(filters, PRUNE_FILTERS);
    const before = untilMs(filters, this.#deps.containers.clock.now());
    const deleted: string[] = [];
    for (const record of this.#deps.networks.list()) {
      const isOld = Date.parse(record.createdAt) < before;
      if (!isOld || !this.#isDangling(record)) continue;
      if (!matchesLabels(record.labels ?? {}, filters)) continue;
      try {
        await this.remove(record.id);
        deleted.push(record.name);
      } catch (error) {
        // Somebody began to use it, or removed it.
        if (!['forbidden', 'not-found'].includes(kindOf(error))) throw error;
      }
    }
    return deleted;
  }

  #find(ref: string): NetworkRecord {
    return findNetwork(this.#deps.networks.list(), ref);
  }

  #view(record: NetworkRecord): NetworkView {
    return { record, members: this.#membersOf(record) };
  }

  #isDangling(network: NetworkRecord): boolean {
    return !isPredefined(network.name) && this.#membersOf(network).length === 0;
  }

  #membersOf(network: NetworkRecord): readonly NetworkMember[] {
    return this.#deps.containers.registry.all().flatMap((document) => {
      const live = liveStatus(document.status);
      const endpoint = live?.network?.endpoints.find((one) => one.networkId === network.id);
      const isHost = network.driver === 'host' && document.hostConfig.NetworkMode === 'host';
      if (live === undefined || (endpoint === undefined && !isHost)) return [];
      return [
        {
          containerId: document.id,
          containerName: document.name,
          endpointId: endpoint?.endpointId ?? '',
          macAddress: endpoint?.macAddress ?? '',
          ipv4: endpoint === undefined ? '' : `${endpoint.ipAddress}/${endpoint.prefixLength}`,
          ipv6:
            endpoint?.ipv6 === undefined
              ? ''
              : `${endpoint.ipv6.address}/${endpoint.ipv6.prefixLength}`,
        },
      ];
    });
  }

  /** A container at rest comes into its networks when it is started. */
  #publishIfRunning(network: NetworkRecord, action: string, container: string): void {
    const status = this.#deps.containers.registry.tryResolve(container)?.status;
    const isRunning = status !== undefined && liveStatus(status) !== undefined;
    if (isRunning) this.#publish(network, action, { container });
  }

  #publish(
    network: NetworkRecord,
    action: string,
    attributes: Readonly<Record<string, string>> = {},
  ): void {
    this.#deps.containers.events.publish({
      type: 'network',
      action,
      actorId: network.id,
      attributes: { ...attributes, name: network.name, type: network.driver },
    });
  }
}
