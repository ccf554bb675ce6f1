/** Ends every container when the daemon is told to stop. */
import type { ContainerDeps } from '../containers/container-deps.ts';
import { liveStatus } from '../containers/container-status.ts';
import { stopContainer } from '../containers/stop-container.ts';

/**
 * Stops all running containers side by side. Each gets its own grace, at most `patienceSeconds` (negative: no
 * limit). Failures are logged: the rest must end all the same. Restart policies hold on: what they want to run
 * starts again with the next engine.
 */
export async function stopAllContainers(
  deps: ContainerDeps,
  patienceSeconds: number,
): Promise<void> {
  await deps.restarts.close();
  const live = deps.registry.all().filter((one) => liveStatus(one.status) !== undefined);
  await Promise.all(
    live.map(async ({ id, config }) => {
      const own = config.StopTimeout ?? 10;
      const timeoutSeconds = patienceSeconds < 0 ? own : Math.min(own, patienceSeconds);
      try {
        await stopContainer(deps, id, { timeoutSeconds, signal: undefined, byHand: false });
      } catch (error) {
        deps.logger.error('cannot stop a container', { container: id, error });
      }
    }),
  );
}
