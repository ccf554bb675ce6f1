/** What the routes of networks need of the engine. See `backends.ts` for the rules. */
import type { NetworkRecord } from '../network/network-record.ts';
import type { EndpointSettings } from '../wire/container-config.ts';
import type { Filters } from '../wire/filters.ts';
import type { CreateNetworkBody } from '../wire/network-bodies.ts';

/** A container that is on a network now. */
export interface NetworkMember {
  readonly containerId: string;
  readonly containerName: string;
  readonly endpointId: string;
  readonly macAddress: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** A network that was just made. */
export interface CreatedNetworkView {
  readonly id: string;
  /** What was asked for and has no effect, as sentences. */
  readonly warnings: readonly string[];
}

/** A network with those that are on it. */
export interface NetworkView {
  readonly record: NetworkRecord;
  readonly members: readonly NetworkMember[];
}

/** The networks. */
export interface NetworkBackend {
  list(filters: Filters): Promise<readonly NetworkView[]>;
  inspect(ref: string): Promise<NetworkView>;
  create(body: CreateNetworkBody): Promise<CreatedNetworkView>;
  remove(ref: string): Promise<void>;
  connect(ref: string, containerRef: string, settings: EndpointSettings): Promise<void>;
  disconnect(ref: string, containerRef: string): Promise<void>;
  /** Resolves to the names of the networks that went. */
  prune(filters: Filters): Promise<readonly string[]>;
}
