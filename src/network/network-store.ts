/** Port: the networks that exist. */
import type { NetworkId } from '../shared/ids.ts';
import type { NetworkRecord, NetworkSpec } from './network-record.ts';

/** A network that was just made. */
export interface CreatedNetwork {
  readonly record: NetworkRecord;
  /** What was asked for and has no effect, as sentences. */
  readonly warnings: readonly string[];
}

/** Makes and removes networks. Addresses of their members are the sandboxes' affair. */
export interface NetworkStore {
  /** All networks, predefined ones first. */
  list(): readonly NetworkRecord[];
  /**
   * Makes a bridge network. `conflict` for a name that is taken, `forbidden` for a subnet that overlaps another,
   * `invalid-argument` for addresses or options that make no sense.
   */
  create(spec: NetworkSpec): Promise<CreatedNetwork>;
  /** Removes a network with its bridge. `forbidden` while sandboxes are on it. */
  remove(id: NetworkId): Promise<void>;
}
