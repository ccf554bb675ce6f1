/**
 * Port: a container's network namespace and its endpoints. All calls are idempotent on `containerId`;
 * after a failed `create` nothing is left.
 */
import type { ContainerId, NetworkId } from '../shared/ids.ts';
import type { NetworkRecord } from './network-record.ts';

/** A port to publish, as decided by the engine from `PortBindings`. */
export interface PublishRequest {
  readonly protocol: 'tcp' | 'udp';
  readonly containerPort: number;
  /** Host address; empty for all (IPv4 and IPv6). */
  readonly hostIp: string;
  /** 0 asks for a random free port. */
  readonly hostPort: number;
  /** The first free port from `hostPort` up to this one is taken. */
  readonly lastHostPort?: number;
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

/** One network that a sandbox joins, and how. */
export interface EndpointRequest {
  readonly networkId: NetworkId;
  /** Fixed address; the lowest free one when absent. */
  readonly ipAddress?: string;
  /** Fixed IPv6 address; the lowest free one when absent. */
  readonly ipv6Address?: string;
  /** Fixed MAC, `aa:bb:cc:dd:ee:ff`; derived from the address when absent. */
  readonly macAddress?: string;
  /** Name of the interface inside; the first free `eth<n>` when absent. */
  readonly interfaceName?: string;
  /** Kernel settings of the interface, `net.ipv4.conf.IFNAME.log_martians=1`. */
  readonly sysctls?: readonly string[];
  /** Names that other members of a user-defined network find the endpoint by. */
  readonly names: readonly string[];
  /** Names by which this endpoint alone knows others: alias and the other's name. */
  readonly links?: readonly (readonly [string, string])[];
  /** The endpoint with the highest one gives the default route; 0 when absent. */
  readonly gatewayPriority?: number;
}

export interface SandboxRequest {
  readonly containerId: ContainerId;
  readonly mode: SandboxMode;
  readonly hostname: string;
  /** Name of the container, for messages about its ports; its short id stands in when absent. */
  readonly containerName?: string;
  /** Networks to join, the first as `eth0`; the default bridge alone when absent. Nothing for mode `none`. */
  readonly networks?: readonly EndpointRequest[];
  /** Fixed MAC on the default bridge, when `networks` is absent. */
  readonly macAddress?: string;
  /** Name servers that outside names are asked of, instead of the engine's own. */
  readonly nameservers?: readonly string[];
  /** Lets the container reach the loopback of the host, at the address that stands for the host. */
  readonly hostAccess?: boolean;
  readonly publish: readonly PublishRequest[];
}

/** One attachment of a sandbox to a network. */
export interface Endpoint {
  readonly networkName: string;
  readonly networkId: NetworkId;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  /** Empty on a network without a way out. */
  readonly gateway: string;
  readonly macAddress: string;
  /** Absent on networks without IPv6. */
  readonly ipv6?: {
    readonly address: string;
    readonly prefixLength: number;
    /** Empty on a network without a way out. */
    readonly gateway: string;
  };
  /** Name of the interface inside; `eth0` when absent. */
  readonly interfaceName?: string;
  /** Kernel settings of the interface, in the order that they are written. */
  readonly sysctls?: readonly string[];
  readonly names?: readonly string[];
  readonly links?: readonly (readonly [string, string])[];
  readonly gatewayPriority?: number;
}

export interface Sandbox {
  readonly containerId: ContainerId;
  /** Absolute path of the pinned network namespace. */
  readonly netnsPath: string;
  readonly endpoints: readonly Endpoint[];
  readonly published: readonly PublishedPort[];
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
  /** Adds an endpoint to a live sandbox. `forbidden` when it has one on that network. */
  connect(containerId: ContainerId, request: EndpointRequest): Promise<Sandbox>;
  /** Takes an endpoint away from a live sandbox; `internal` with Docker's text when it has none there. */
  disconnect(containerId: ContainerId, networkId: NetworkId): Promise<Sandbox>;
  /** Replaces a name of the sandbox's endpoints, after a container got another name. */
  rename(containerId: ContainerId, names: { before: string; after: string }): Promise<void>;
  remove(containerId: ContainerId): Promise<void>;
  list(): Promise<readonly ContainerId[]>;
  networks(): readonly NetworkRecord[];
  /** The address by which containers that ask reach the host with its loopback; empty for none. */
  hostGateway(): string;
  /** Lines of `/etc/resolv.conf` for a container on the default network. */
  nameservers(): readonly string[];
}
