/** Port: a program that leads out of the machine's network namespace. */
import type { Uplink } from '../../handshake/host-facts.ts';
import type { ProcessIdentity } from '../../sys/proc/process-identity.ts';
import type { Anchor } from './anchor.ts';

/** What the engine is told of a way out that exists. */
export type UplinkFacts = Exclude<Uplink, { driver: 'none' }>;

/** A started uplink: what the engine is told, and the helper's process when there is one. */
export interface StartedUplink {
  readonly facts: Uplink;
  readonly process?: ProcessIdentity | undefined;
}

/** A helper that was found usable. */
export interface UsableHelper {
  /**
   * Starts it for the anchor's namespaces; resolves when the interface inside has its address and route. Rejects with
   * the reason, and leaves no process then. The helper outlives this program and ends with the anchor, or is ended
   * by whoever ends the anchor.
   */
  start(anchor: Anchor): Promise<StartedUplink & { readonly facts: UplinkFacts }>;
}

/**
 * One kind of helper. All of them give the interface the same name, network and addresses, so that one can take the
 * place of another; none lets anything inside reach the host's loopback.
 */
export interface UplinkDriver {
  readonly name: UplinkFacts['driver'];
  /** Asks the installed program what it can do; slow (processes). Rejects with the reason when it is of no use. */
  detect(): Promise<UsableHelper>;
  /** True when the helper behind `facts`, whose process is alive, still serves. */
  answers(facts: UplinkFacts): Promise<boolean>;
}
