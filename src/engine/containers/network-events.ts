/** Events of networks that containers come into and leave by being started and by ending. */
import type { NetworkRecord } from '../../network/network-record.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { liveStatus } from './container-status.ts';
import { parseNetworkMode } from './network-mode.ts';

/** One event for each network of a running container; a container that shares another's network has none of its own. */
export function publishNetworkEvents(
  deps: Pick<ContainerDeps, 'events' | 'sandboxes'>,
  container: ContainerDocument,
  action: 'connect' | 'disconnect',
): void {
  for (const network of networksOf(deps, container)) {
    deps.events.publish({
      type: 'network',
      action,
      actorId: network.id,
      attributes: { container: container.id, name: network.name, type: network.driver },
    });
  }
}

function networksOf(
  deps: Pick<ContainerDeps, 'sandboxes'>,
  container: ContainerDocument,
): readonly NetworkRecord[] {
  const all = deps.sandboxes.networks();
  const { kind } = parseNetworkMode(container.hostConfig.NetworkMode);
  if (kind === 'container') return [];
  const ids = new Set<string>(
    liveStatus(container.status)?.network?.endpoints.map(({ networkId }) => networkId),
  );
  // `host` and `none` are networks without endpoints.
  const isWithout = kind === 'host' || kind === 'none';
  return all.filter(({ id, name }) => ids.has(id) || (isWithout && name === kind));
}
