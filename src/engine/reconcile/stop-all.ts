/** Ends every container when the daemon is told to stop. */
import type { ContainerDeps } from '../containers/container-deps.ts';
import { liveStatus } from '../containers/container-status.ts';
import { stopContainer } from '../containers/stop-container.ts';

/**
 * Stops all running containers side by side. Each gets its own grace, at most `patienceSeconds` (negative: no
 * limit). Failures are logged: the rest must end all the same.
 */
export async function stopAllContainers(
  deps: ContainerDeps,
  patienceSeconds: number,
): Promise<void> {
  const live = deps.registry.all().filter((one) => liveStatus(one.status) !== undefined);
  await Promise.all(
    live.map(async ({ id, config }) => {
      const own = config.StopTimeout ?? 10;
      const timeoutSeconds = patienceSeconds < 0 ? own : Math.min(own, patienceSeconds);
      try {
        await stopContainer(deps, id, { timeoutSeconds, signal: undefined });
      } catch (error) {
        deps.logger.error('cannot stop a container', { container: id, error });
      }
    }),
  );
}
