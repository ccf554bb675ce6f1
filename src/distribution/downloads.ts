/** Port: files that lie somewhere on the web. */

/** A file that has begun to arrive. */
export interface Download {
  /** Undefined when the server does not say. */
  readonly sizeBytes: number | undefined;
  /** When it was last changed, where the server says so. Milliseconds since 1970. */
  readonly modifiedMs?: number;
  /** Read to its end or left early. Ends early only by a throw. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface Downloads {
  /**
   * Asks for a file, redirects followed, through the user's proxies. `not-found`, `unauthorized`, `forbidden` or
   * `invalid-argument` when the server says so, `internal` when it cannot be reached or fails.
   */
  open(url: URL, signal: AbortSignal): Promise<Download>;
}
