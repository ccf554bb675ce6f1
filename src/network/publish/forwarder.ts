/** What carries the traffic of one published port. */

/** Where traffic goes. */
export interface ForwardTarget {
  /** IPv4 address of the container. */
  readonly ipAddress: string;
  /** Length of the prefix that the container has as its own network. */
  readonly prefixLength: number;
  readonly port: number;
}

/** A listener that is being served. */
export interface Forwarder {
  /** Stops accepting and cuts what is still open; the descriptor is closed. Idempotent. */
  close(): Promise<void>;
}
