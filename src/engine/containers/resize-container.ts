/** `POST /containers/{id}/resize`. */
import type { TerminalSize } from '../../runtime/task-runner.ts';
import type { ContainerDeps } from './container-deps.ts';
import { notRunning } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { liveStatus } from './container-status.ts';

/** Sets the size of the container's terminal; `conflict` when it does not run. */
export async function resizeContainer(
  deps: ContainerDeps,
  ref: string,
  size: TerminalSize,
): Promise<void> {
  const document = deps.registry.resolve(ref);
  const live = liveStatus(document.status);
  if (live === undefined) throw notRunning(document.id);
  await deps.tasks.resize(live.task, size);
  const attributes = { height: String(size.rows), width: String(size.columns) };
  publishContainerEvent(deps, document, { action: 'resize', attributes });
}
