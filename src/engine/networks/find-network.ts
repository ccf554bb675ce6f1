/** Which network a reference means. Pure. */
import type { NetworkRecord } from '../../network/network-record.ts';
import { networkNotFound } from '../containers/container-errors.ts';
import { ambiguousNetwork } from './network-errors.ts';

/** By full id, name, or unique prefix of an id. `not-found`, or `invalid-argument` when several match. */
export function findNetwork(networks: readonly NetworkRecord[], ref: string): NetworkRecord {
  const record = tryFindNetwork(networks, ref);
  if (record === undefined) throw networkNotFound(ref);
  return record;
}

/** The same, with undefined for a network that does not exist. */
export function tryFindNetwork(
  networks: readonly NetworkRecord[],
  ref: string,
): NetworkRecord | undefined {
  const wanted = ref === 'default' ? 'bridge' : ref;
  const exact =
    networks.find(({ id }) => id === wanted) ?? networks.find(({ name }) => name === wanted);
  if (exact !== undefined || wanted === '') return exact;
  const matches = networks.filter(({ id }) => id.startsWith(wanted));
  if (matches.length > 1) throw ambiguousNetwork(ref, matches.length);
  return matches[0];
}
