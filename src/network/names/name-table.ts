/** Which names and addresses the members of user-defined networks know of each other. */
import type { ContainerId, NetworkId } from '../../shared/ids.ts';
import type { Endpoint } from '../sandbox-service.ts';

/** Names of one network, in lower case, with the addresses they stand for. */
type NameIndex = ReadonlyMap<string, readonly string[]>;

/** Endpoints by container; what one of them may look up is what its own networks know. */
export class NameTable {
  readonly #endpoints = new Map<ContainerId, readonly Endpoint[]>();
  readonly #indexes = new Map<NetworkId, NameIndex>();

  /** Replaces the endpoints of a container. */
  set(containerId: ContainerId, endpoints: readonly Endpoint[]): void {
    this.#forgetIndexes(containerId);
    this.#endpoints.set(containerId, endpoints);
    this.#forgetIndexes(containerId);
  }

  /** Forgets a container. Idempotent. */
  delete(containerId: ContainerId): void {
    this.#forgetIndexes(containerId);
    this.#endpoints.delete(containerId);
  }

  /**
   * The addresses of both families that `name` (in any case; `name` or `name.network`) has for a container: those of the first
   * of its networks that knows the name. Undefined for unknown names.
   */
  addressesOf(asker: ContainerId, name: string): readonly string[] | undefined {
    const wanted = name.toLowerCase();
    const own = this.#named(asker);
    for (const { networkId, links = [] } of own) {
      const linked = links.find(([alias]) => alias.toLowerCase() === wanted)?.[1].toLowerCase();
      const addresses = this.#indexOf(networkId).get(linked ?? wanted);
      if (addresses !== undefined) return addresses;
    }
    for (const { networkId, networkName } of own) {
      const suffix = `.${networkName.toLowerCase()}`;
      if (!wanted.endsWith(suffix)) continue;
      const addresses = this.#indexOf(networkId).get(wanted.slice(0, -suffix.length));
      if (addresses !== undefined) return addresses;
    }
    return undefined;
  }

  /** `name.network` of an address on one of the container's networks; undefined for unknown ones. */
  nameOf(asker: ContainerId, ipAddress: string): string | undefined {
    const own = new Set(this.#named(asker).map(({ networkId }) => networkId));
    for (const endpoints of this.#endpoints.values()) {
      const found = endpoints.find(
        (one) => own.has(one.networkId) && addressesOn(one).includes(ipAddress),
      );
      const name = found?.names?.[0];
      if (found !== undefined && name !== undefined) return `${name}.${found.networkName}`;
    }
    return undefined;
  }

  /** True when one of the container's networks leads outside. */
  reachesOutside(asker: ContainerId): boolean {
    return (this.#endpoints.get(asker) ?? []).some(({ gateway }) => gateway !== '');
  }

  #named(containerId: ContainerId): readonly Endpoint[] {
    return (this.#endpoints.get(containerId) ?? []).filter(isNamed);
  }

  #indexOf(networkId: NetworkId): NameIndex {
    const known = this.#indexes.get(networkId);
    if (known !== undefined) return known;
    const index = new Map<string, string[]>();
    for (const endpoint of [...this.#endpoints.values()].flat()) {
      if (endpoint.networkId !== networkId) continue;
      for (const name of new Set(endpoint.names?.map((one) => one.toLowerCase()))) {
        index.set(name, [...(index.get(name) ?? []), ...addressesOn(endpoint)]);
      }
    }
    this.#indexes.set(networkId, index);
    return index;
  }

  #forgetIndexes(containerId: ContainerId): void {
    for (const { networkId } of this.#endpoints.get(containerId) ?? []) {
      this.#indexes.delete(networkId);
    }
  }
}

/** The addresses of an endpoint, in the shortest notation. */
function addressesOn({ ipAddress, ipv6 }: Endpoint): readonly string[] {
  return ipv6 === undefined ? [ipAddress] : [ipAddress, ipv6.address];
}

/** True for endpoints of networks whose members find each other by name. */
export function isNamed(endpoint: Endpoint): boolean {
  return (endpoint.names?.length ?? 0) > 0;
}
