/** Port: one network that sandboxes can be attached to. Each driver makes its own kind of network. */
import type { Endpoint } from './sandbox-service.ts';

/** A sandbox that wants to join. */
export interface AttachRequest {
  /** Absolute path of the pinned network namespace. It has nothing but a `lo` that is down. */
  readonly netnsPath: string;
  readonly endpoint: Endpoint;
}

/** What an endpoint asks for. */
export interface EndpointDemand {
  /** Fixed MAC, `aa:bb:cc:dd:ee:ff`; derived from the address when absent. */
  readonly macAddress?: string;
}

/**
 * A network. `plan` and `release` only keep books; `attach` and `detach` touch the kernel and are synchronous,
 * because they enter the sandbox's namespace. Whoever plans an endpoint releases it.
 */
export interface NetworkDriver {
  /** Chooses and reserves the addresses of an endpoint. `invalid-argument` for a bad MAC address. */
  plan(demand: EndpointDemand): Endpoint;
  /** Reserves the addresses of an endpoint planned by an earlier process. */
  adopt(endpoint: Endpoint): void;
  /** Gives the addresses back. Idempotent. */
  release(endpoint: Endpoint): void;
  /** Makes the interfaces of a planned endpoint and brings them up. Nothing remains on failure. */
  attach(request: AttachRequest): void;
  /**
   * Silences the endpoint so that its address can be used again at once; the interfaces themselves vanish with
   * the namespace. Idempotent.
   */
  detach(request: AttachRequest): void;
}
