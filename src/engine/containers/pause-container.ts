/** `POST /containers/{id}/pause` and `/unpause`. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';
import { alreadyPaused, isRestartingNow, notPaused, notRunning } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { isRestarting } from './container-status.ts';

/** Freezes every process of a running container. */
export async function pauseContainer(deps: ContainerDeps, ref: string): Promise<void> {
  const { id } = deps.registry.resolve(ref);
  await deps.locks.run(id, () => pauseLocked(deps, id));
}

/**
 * Freezes a container whose lock the caller holds. `passing` says that the caller lets it go on again: an engine that
 * dies in between leaves that to the next one.
 */
export async function pauseLocked(
  deps: ContainerDeps,
  id: ContainerId,
  passing = false,
): Promise<void> {
  const { status } = deps.registry.get(id);
  if (status.state === 'paused') throw alreadyPaused(id);
  if (isRestarting(status)) throw isRestartingNow(id);
  if (status.state !== 'running') throw notRunning(id);
  const { task } = status;
  const paused = { ...status, state: 'paused', ...(passing ? { passing } : {}) } as const;
  const document = await deps.registry.transition(id, paused);
  deps.failpoints.hit('container-pause:after-intent');
  try {
    await deps.tasks.pause(task);
  } catch (error) {
    await deps.registry.transition(id, status);
    throw error;
  }
  publishContainerEvent(deps, document, { action: 'pause' });
}

/** Lets a frozen container go on. */
export async function unpauseContainer(deps: ContainerDeps, ref: string): Promise<void> {
  const { id } = deps.registry.resolve(ref);
  await deps.locks.run(id, () => unpauseLocked(deps, id));
}

/** Lets a container go on whose lock the caller holds. */
export async function unpauseLocked(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const { status } = deps.registry.get(id);
  if (status.state !== 'paused') throw notPaused(id);
  const { passing: _, ...kept } = status;
  await deps.tasks.resume(kept.task);
  deps.failpoints.hit('container-unpause:after-thaw');
  const document = await deps.registry.transition(id, { ...kept, state: 'running' });
  publishContainerEvent(deps, document, { action: 'unpause' });
}
