/** Port: listening sockets on the host, handed into the engine's network namespace. */

export interface ListenRequest {
  readonly protocol: 'tcp' | 'udp';
  /** A literal IPv4 or IPv6 address. */
  readonly hostIp: string;
  /** 0 asks for a random free port. */
  readonly hostPort: number;
}

/** A socket bound on the host; the descriptor is open in this process and belongs to the caller. */
export interface HostListener {
  readonly listenerId: string;
  readonly fd: number;
  readonly hostIp: string;
  readonly hostPort: number;
}

/** Binds sockets outside of the engine's network namespace. */
export interface HostListeners {
  /** `conflict` with `details.code = EADDRINUSE | EACCES | EADDRNOTAVAIL` when the host refuses. */
  open(request: ListenRequest): Promise<HostListener>;
  /** Closes the host's copy; the caller closes its own descriptor. Idempotent. */
  close(listenerId: string): Promise<void>;
  /** Ids still bound by the host, e.g. from before an engine restart, with what they are bound to. */
  held(): Promise<readonly (ListenRequest & { readonly listenerId: string })[]>;
  /** Takes over a listener that the host still holds. */
  adopt(listenerId: string): Promise<HostListener>;
}
