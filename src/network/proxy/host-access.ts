/** Which containers may reach the loopback of the host: those that ask, or all when the user wants that. */
import type { ContainerId } from '../../shared/ids.ts';
import type { Endpoint } from '../sandbox-service.ts';

/** Knows containers by the addresses that their connections come from. */
export class HostAccess {
  readonly #isForAll: boolean;
  readonly #granted = new Map<ContainerId, ReadonlySet<string>>();

  constructor(isForAll: boolean) {
    this.#isForAll = isForAll;
  }

  /** Lets a container in, by the addresses that it has now. */
  grant(containerId: ContainerId, endpoints: readonly Endpoint[]): void {
    this.#granted.set(containerId, new Set(endpoints.map(({ ipAddress }) => ipAddress)));
  }

  /** Idempotent. */
  revoke(containerId: ContainerId): void {
    this.#granted.delete(containerId);
  }

  /** Whether the container with this address may. */
  isGranted(ipAddress: string): boolean {
    if (this.#isForAll) return true;
    return [...this.#granted.values()].some((addresses) => addresses.has(ipAddress));
  }
}
