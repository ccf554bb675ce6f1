/** What the host tells on its standard output, one JSON line for each event. */

/** Events of a host process, in the order of its life. */
export type HostEvent =
  | { readonly event: 'starting'; readonly pid: number; readonly version: string }
  /** The API answers on these addresses; the first is the one to use. */
  | { readonly event: 'ready'; readonly hosts: readonly string[] }
  | { readonly event: 'engine-ended'; readonly how: string }
  | { readonly event: 'stopping' }
  /** The last event. With `error` when the host did not end because it was asked to. */
  | { readonly event: 'exiting'; readonly error?: string };

/** Receives events; must not throw. */
export type EmitHostEvent = (event: HostEvent) => void;
