/** Carrying out a restart that a container's policy asked for. */
import type { ContainerId } from '../../shared/ids.ts';
import { notifyAtRest } from './cancel-restart.ts';
import type { ContainerDeps } from './container-deps.ts';
import { isRestarting } from './container-status.ts';
import { parseNetworkMode } from './network-mode.ts';
import { startOrRecordFailure } from './start-container.ts';

/**
 * Starts a container whose wait is over. One that cannot be started any more is left exited, with the reason, as
 * dockerd leaves it. Never rejects.
 */
export async function restartWhenDue(deps: ContainerDeps, id: ContainerId): Promise<void> {
  try {
    await untilNetworkOwnerSettled(deps, id);
    await deps.locks.run(id, async () => {
      const document = deps.registry.tryGet(id);
      if (document?.status.state === 'restarting') await startOrRecordFailure(deps, document);
    });
  } catch (error) {
    deps.logger.warn('cannot restart a container', { container: id, error });
    notifyAtRest(deps, id);
  }
}

/** A container in the network of another one that is being restarted too comes after it. */
async function untilNetworkOwnerSettled(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const mode = parseNetworkMode(deps.registry.tryGet(id)?.hostConfig.NetworkMode);
  if (mode.kind !== 'container') return;
  const owner = deps.registry.resolve(mode.ref);
  if (!isRestarting(owner.status)) return;
  await deps.signals.next(owner.id, ['started', 'settled', 'removed']);
}
