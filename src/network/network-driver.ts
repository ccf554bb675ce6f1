/** Port: one network that sandboxes can be attached to. Each driver makes its own kind of network. */
import type { Endpoint } from './sandbox-service.ts';

/** A sandbox that wants to join. */
export interface AttachRequest {
  /** Absolute path of the pinned network namespace. It has nothing but a `lo` that is down. */
  readonly netnsPath: string;
  readonly endpoint: Endpoint;
}

/** A sandbox that joins. */
export interface JoinRequest extends AttachRequest {
  /** True for the one endpoint that gives the default route. */
  readonly isGateway: boolean;
  /** True for the one endpoint that gives the IPv6 default route. */
  readonly isIpv6Gateway: boolean;
}

/** What an endpoint asks for. */
export interface EndpointDemand {
  /** Name of the interface inside of the sandbox. */
  readonly interfaceName: string;
  /** Fixed address; the lowest free one when absent. */
  readonly ipAddress?: string;
  /** Fixed IPv6 address; the lowest free one when absent. */
  readonly ipv6Address?: string;
  /** Fixed MAC, `aa:bb:cc:dd:ee:ff`; derived from the address when absent. */
  readonly macAddress?: string;
}

/**
 * A network. `plan` and `release` only keep books; `attach` and `detach` touch the kernel and are synchronous,
 * because they enter the sandbox's namespace. Whoever plans an endpoint releases it.
 */
export interface NetworkDriver {
  /** What names of interfaces inside begin with, where the endpoint names none. */
  readonly interfacePrefix: string;
  /**
   * Chooses and reserves the addresses of an endpoint. `invalid-argument` for a bad address, `forbidden` for one
   * that is taken.
   */
  plan(demand: EndpointDemand): Endpoint;
  /** Reserves the addresses of an endpoint planned by an earlier process. */
  adopt(endpoint: Endpoint): void;
  /** Gives the addresses back. Idempotent. */
  release(endpoint: Endpoint): void;
  /** Makes the interfaces of a planned endpoint and brings them up. Nothing remains on failure. */
  attach(request: JoinRequest): void;
  /**
   * Silences the endpoint so that its address can be used again at once; the interfaces themselves vanish with
   * the namespace. Idempotent.
   */
  detach(request: AttachRequest): void;
  /** Removes the interfaces of an endpoint while its namespace lives on. Idempotent. */
  unplug(endpoint: Endpoint): void;
  /** True while an endpoint is planned or adopted and not released. */
  isUsed(): boolean;
}
