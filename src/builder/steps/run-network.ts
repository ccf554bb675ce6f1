/** Which network the command of a RUN has. */
import type { NetworkRecord } from '../../network/network-record.ts';
import type { SandboxRequest } from '../../network/sandbox-service.ts';
import { EngineError } from '../../shared/errors.ts';

/** `not-found` for a network that does not exist. */
export function networkOf(
  mode: string,
  networks: readonly NetworkRecord[],
): 'host' | Pick<SandboxRequest, 'mode' | 'networks'> {
  if (mode === 'host') return 'host';
  if (mode === 'none') return { mode: 'none' };
  if (mode === '' || mode === 'default' || mode === 'bridge') return { mode: 'bridge' };
  const network = networks.find(({ id, name }) => name === mode || id === mode);
  if (network === undefined) throw new EngineError('not-found', `network ${mode} not found`);
  return { mode: 'bridge', networks: [{ networkId: network.id, names: [] }] };
}
