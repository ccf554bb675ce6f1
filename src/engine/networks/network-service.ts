/** Networks as the API lists them, with the containers that are on them now. */
import type { NetworkBackend, NetworkMember, NetworkView } from '../../api/backends.ts';
import type { NetworkRecord, SandboxService } from '../../network/sandbox-service.ts';
import { EngineError } from '../../shared/errors.ts';
import { assertKnownFilters, type Filters } from '../../wire/filters.ts';
import { networkNotFound } from '../containers/container-errors.ts';
import type { ContainerRegistry } from '../containers/container-registry.ts';
import { liveStatus } from '../containers/container-status.ts';

export interface NetworkDeps {
  readonly sandboxes: Pick<SandboxService, 'networks'>;
  readonly registry: Pick<ContainerRegistry, 'all'>;
}

type Test = (network: NetworkRecord, value: string) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  driver: (network, value) => network.driver === value,
  id: (network, value) => network.id.startsWith(value),
  name: (network, value) => network.name.includes(value),
  scope: (_network, value) => value === 'local',
  type: (_network, value) => value === 'builtin',
  dangling: (_network, value) => value === 'false' || value === '0',
  label: () => false,
};

export class NetworkService implements NetworkBackend {
  readonly #deps: NetworkDeps;

  constructor(deps: NetworkDeps) {
    this.#deps = deps;
  }

  async list(filters: Filters): Promise<readonly NetworkView[]> {
    assertKnownFilters(filters, Object.keys(TESTS));
    return this.#deps.sandboxes
      .networks()
      .filter((network) =>
        [...filters].every(([name, values]) =>
          values.some((value) => TESTS[name]?.(network, value) ?? false),
        ),
      )
      .map((record) => ({ record, members: this.#membersOf(record) }));
  }

  /** By name, id or unique prefix of an id. */
  async inspect(ref: string): Promise<NetworkView> {
    const networks = this.#deps.sandboxes.networks();
    const named = networks.find((network) => network.name === ref || network.id === ref);
    const matches = named ? [named] : networks.filter((network) => network.id.startsWith(ref));
    if (matches.length > 1) {
      throw new EngineError(
        'invalid-argument',
        `network ${ref} is ambiguous (${matches.length} matches found on ID prefix)`,
      );
    }
    const [record] = matches;
    if (record === undefined) throw networkNotFound(ref);
    return { record, members: this.#membersOf(record) };
  }

  #membersOf(network: NetworkRecord): readonly NetworkMember[] {
    return this.#deps.registry.all().flatMap((document) => {
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
        },
      ];
    });
  }
}
