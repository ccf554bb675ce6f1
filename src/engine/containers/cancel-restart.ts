/** Calling off a restart that a container's policy asked for. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';

/** Ends the wait of a container that is to stay stopped. False when it does not wait for a restart. */
export function cancelRestart(deps: ContainerDeps, id: ContainerId): Promise<boolean> {
  return deps.locks.run(id, async () => {
    const status = deps.registry.tryGet(id)?.status;
    if (status?.state !== 'restarting') return false;
    deps.restarts.cancel(id);
    await deps.registry.amend(id, (document) => ({
      ...document,
      hasBeenManuallyStopped: true,
      status: { state: 'exited', last: status.last },
    }));
    notifyAtRest(deps, id);
    return true;
  });
}

/** Tells those who wait for the end that no restart will come. */
export function notifyAtRest(
  deps: Pick<ContainerDeps, 'registry' | 'signals'>,
  id: ContainerId,
): void {
  const status = deps.registry.tryGet(id)?.status;
  if (status?.state !== 'exited') return;
  const { exitCode, error } = status.last;
  deps.signals.notify(id, 'settled', { exitCode, error });
}
