/** What the host asks the guest for when it opens a stream: a verb, and a value after a space. */

export const TARGETS = {
  /** A connection to the engine's API. */
  api: 'api',
  /** Sets the guest's clock: `clock MILLISECONDS` since the epoch. The guest ends the stream when it is done. */
  clock: 'clock',
  /** Lines of JSON, from the host: files that changed, for `guest/touch-files.ts`. */
  files: 'files',
  /** A client of a published port: `port JSON` (`port-requests.ts`). Datagrams are framed (`datagrams.ts`). */
  port: 'port',
  /** Stops the engine with its containers, then the guest. The guest ends the stream when it begins. */
  shutdown: 'shutdown',
} as const;

/** Where the guest waits for the channel, in machines that carry it by vsock(7). */
export const VSOCK_PORT = 1024;

/** What the guest asks the host for: `outer JSON` (`port-requests.ts`). */
export const OUTER_TARGET = 'outer';

/** Name of the port that carries the channel. */
export const PORT_NAME = 'wherry';
