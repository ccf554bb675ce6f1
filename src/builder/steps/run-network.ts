/** Which network the command of a RUN has. */
import type { NetworkRecord } from '../../network/network-record.ts';
import type { SandboxRequest } from '../../network/sandbox-service.ts';
import { EngineError } from '../../shared/errors.ts';
import { type ContainerId, shortId } from '../../shared/ids.ts';

/**
 * Its short id is the container's name there, and lets it ask for the names of others. `not-found` for a network that
 * does not exist.
 */
export function networkOf(
  { mode, containerId }: { readonly mode: string; readonly containerId: ContainerId },
  networks: readonly NetworkRecord[],
): 'host' | Pick<SandboxRequest, 'mode' | 'networks'> {
  if (mode === 'host') return 'host';
  if (mode === 'none') return { mode: 'none' };
  if (mode === '' || mode === 'default' || mode === 'bridge') return { mode: 'bridge' };
  const network = networks.find(({ id, name }) => name === mode || id === mode);
  if (network === undefined) throw new EngineError('not-found', `network ${mode} not found`);
  return { mode: 'bridge', networks: [{ networkId: network.id, names: [shortId(containerId)] }] };
}
