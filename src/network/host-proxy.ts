/** Port: a proxy for helper programs, whose connections begin where the host's would. */

/** A proxy that runs until it is disposed of. */
export interface HostProxy extends AsyncDisposable {
  /** `socks5h://…` with the credentials that it wants; names are resolved behind it. */
  readonly url: string;
}

/** Starts one. */
export type OpenHostProxy = () => Promise<HostProxy>;
