/**
 * Port: a container's network namespace and its endpoints. All calls are idempotent on `containerId`;
 * after a failed `create` nothing is left.
 */
import type { ContainerId, NetworkId } from '../shared/ids.ts';

/** A port to publish, as decided by the engine from `PortBindings`. */
export interface PublishRequest {
  readonly protocol: 'tcp' | 'udp';
  readonly containerPort: number;
  /** Host address; empty for all (IPv4 and IPv6). */
  readonly hostIp: string;
  /** 0 asks for a random free port. */
  readonly hostPort: number;
}

/** A published port that is bound. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  readonly containerPort: number;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** Where a container joins the network. */
export type SandboxMode = 'bridge' | 'none';

export interface SandboxRequest {
  readonly containerId: ContainerId;
  readonly mode: SandboxMode;
  readonly hostname: string;
  /** Name of the container, for messages about its ports; its short id stands in when absent. */
  readonly containerName?: string;
  /** Fixed MAC, `aa:bb:cc:dd:ee:ff`; derived from the address when absent. */
  readonly macAddress?: string;
  readonly publish: readonly PublishRequest[];
}

/** One attachment of a sandbox to a network. */
export interface Endpoint {
  readonly networkName: string;
  readonly networkId: NetworkId;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
}

export interface Sandbox {
  readonly containerId: ContainerId;
  /** Absolute path of the pinned network namespace. */
  readonly netnsPath: string;
  readonly endpoints: readonly Endpoint[];
  readonly published: readonly PublishedPort[];
}

/** A network as listed by the API. */
export interface NetworkRecord {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly createdAt: string;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface SandboxService {
  /**
   * Namespace, loopback, endpoint, address, default route, published ports — all before it resolves.
   * A taken host port is `internal` with Docker's text (`failed to set up container networking: driver failed
   * programming external connectivity on endpoint NAME (ID): … address already in use`).
   */
  create(request: SandboxRequest): Promise<Sandbox>;
  /** The sandbox of a container that survived an engine restart: re-binds its ports. Undefined when gone. */
  restore(containerId: ContainerId): Promise<Sandbox | undefined>;
  get(containerId: ContainerId): Sandbox | undefined;
  remove(containerId: ContainerId): Promise<void>;
  list(): Promise<readonly ContainerId[]>;
  networks(): readonly NetworkRecord[];
  /** Lines of `/etc/resolv.conf` for a container on the default network. */
  nameservers(): readonly string[];
}
