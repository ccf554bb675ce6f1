/** Port: connections that begin in the host's network namespace instead of the engine's. */
import type { Socket } from 'node:net';

/**
 * Opens TCP connections as the host would: with its names, its routes and its loopback. For the engine's own
 * traffic (registries), and for what containers may reach through the proxy.
 */
export interface HostDialer {
  /** `unavailable` with `details.code` (ECONNREFUSED, ENOTFOUND, ETIMEDOUT, …) when there is no connection. */
  connect(target: { readonly host: string; readonly port: number }): Promise<Socket>;
  /** The same as a bare, non-blocking descriptor that belongs to the caller. */
  open(target: { readonly host: string; readonly port: number }): Promise<number>;
}
