/** Carrying out a restart that a container's policy asked for. */
import type { ContainerId } from '../../shared/ids.ts';
import { notifyAtRest } from './cancel-restart.ts';
import type { ContainerDeps } from './container-deps.ts';
import { isRestarting } from './container-status.ts';
import { containerReference } from './namespace-modes.ts';
import { startOrRecordFailure } from './start-container.ts';

/**
 * Starts a container whose wait is over. One that cannot be started any more is left exited, with the reason, as
 * dockerd leaves it. Never rejects.
 */
export async function restartWhenDue(deps: ContainerDeps, id: ContainerId): Promise<void> {
  try {
    await untilOthersSettled(deps, id);
    await deps.locks.run(id, async () => {
      const document = deps.registry.tryGet(id);
      if (document?.status.state === 'restarting') await startOrRecordFailure(deps, document);
    });
  } catch (error) {
    deps.logger.warn('cannot restart a container', { container: id, error });
    notifyAtRest(deps, id);
  }
}

/** A container that needs another one which is being restarted too (by a namespace or a link) comes after it. */
async function untilOthersSettled(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const { hostConfig = {}, links = [] } = deps.registry.tryGet(id) ?? {};
  const { NetworkMode, PidMode, IpcMode } = hostConfig;
  const refs = [NetworkMode, PidMode, IpcMode].map(containerReference);
  for (const ref of [...refs, ...links.map((link) => link.id)]) {
    const other = ref === undefined ? undefined : deps.registry.tryResolve(ref);
    if (other === undefined || other.id === id || !isRestarting(other.status)) continue;
    await deps.signals.next(other.id, ['started', 'settled', 'removed']);
  }
}
