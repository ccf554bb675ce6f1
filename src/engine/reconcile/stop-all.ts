/** Ends every container when the daemon is told to stop. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import { liveStatus } from '../containers/container-status.ts';
import { stopContainer } from '../containers/stop-container.ts';

/**
 * Stops all running containers side by side. Each gets its own grace, at most `patienceSeconds` (negative: no
 * limit), and shows `error` as the error of its end. Failures are logged: the rest must end all the same. Restart
 * policies hold on: what they want to run starts again with the next engine.
 */
export async function stopAllContainers(
  deps: ContainerDeps,
  options: { readonly patienceSeconds: number; readonly error: string | undefined },
): Promise<void> {
  const { patienceSeconds, error: reason } = options;
  await deps.restarts.close();
  const live = deps.registry.all().filter((one) => liveStatus(one.status) !== undefined);
  await Promise.all(
    live.map(async ({ id, config }) => {
      const own = config.StopTimeout ?? 10;
      const timeoutSeconds = patienceSeconds < 0 ? own : Math.min(own, patienceSeconds);
      try {
        await stopContainer(deps, id, { timeoutSeconds, signal: undefined, byHand: false });
        if (reason !== undefined) await explain(deps, id, reason);
      } catch (error) {
        deps.logger.error('cannot stop a container', { container: id, error });
      }
    }),
  );
}

async function explain(deps: ContainerDeps, id: ContainerId, error: string): Promise<void> {
  if (deps.registry.tryGet(id)?.status.state !== 'exited') return;
  await deps.registry.amend(id, (document) => {
    const { status } = document;
    if (status.state !== 'exited') return document;
    return { ...document, status: { ...status, last: { ...status.last, error } } };
  });
}
