/** `POST /containers/{id}/kill`, and killing as a step of other verbs. */
import type { TaskRecord } from '../../runtime/task-runner.ts';
import { EngineError, kindOf } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import { SIGKILL } from '../../shared/signals.ts';
import { cancelRestart } from './cancel-restart.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { cannotKillStopped, requireSignal } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { liveStatus } from './container-status.ts';

/** How long a killed process may take to vanish before the caller is told. */
const KILL_PATIENCE_MS = 10_000;

/** Sends a signal (default SIGKILL). SIGKILL is answered once the end of the container is recorded. */
export async function killContainer(
  deps: ContainerDeps,
  ref: string,
  signalText: string | undefined,
): Promise<void> {
  const document = deps.registry.resolve(ref);
  const signal = signalText ? requireSignal(signalText) : SIGKILL;
  const live = liveStatus(document.status);
  if (live === undefined) {
    if (await cancelRestart(deps, document.id)) return;
    throw cannotKillStopped(document.id);
  }
  if (endsContainer(document, signal)) await disableRestart(deps, document.id);
  if (signal === SIGKILL) return await killAndSettle(deps, document.id, live.task);
  await deps.tasks.signal(live.task, signal);
  publishKill(deps, document.id, signal);
}

/** A container with a stop signal of its own takes other signals as messages, not as orders to end. */
function endsContainer({ config }: ContainerDocument, signal: number): boolean {
  return signal === SIGKILL || !config.StopSignal || requireSignal(config.StopSignal) === signal;
}

async function disableRestart(deps: ContainerDeps, id: ContainerId): Promise<void> {
  await deps.registry.amend(id, (document) => ({ ...document, hasBeenManuallyStopped: true }));
}

/** SIGKILL, then waits until the end of the run is recorded. A process that has gone already is fine. */
export async function killAndSettle(
  deps: ContainerDeps,
  id: ContainerId,
  task: TaskRecord,
): Promise<void> {
  const patience = AbortSignal.timeout(KILL_PATIENCE_MS);
  const settled = deps.signals.next(id, ['settled', 'removed'], patience);
  if (liveStatus(deps.registry.tryGet(id)?.status ?? { state: 'created' }) === undefined) return;
  await askToEnd(deps, id, { task, signal: SIGKILL });
  if ((await settled) === undefined) {
    throw new EngineError(
      'deadline',
      `tried to kill container ${id}, but did not receive an exit event`,
    );
  }
}

/** Sends a signal and tells of it, as dockerd does whoever wants the container to end. */
export async function askToEnd(
  deps: ContainerDeps,
  id: ContainerId,
  order: { readonly task: TaskRecord; readonly signal: number },
): Promise<void> {
  await trySignal(deps, order.task, order.signal);
  publishKill(deps, id, order.signal);
}

function publishKill(deps: ContainerDeps, id: ContainerId, signal: number): void {
  const document = deps.registry.tryGet(id);
  if (document === undefined) return;
  publishContainerEvent(deps, document, { action: 'kill', attributes: { signal: String(signal) } });
}

/** Sends a signal to a process that may have gone in the meantime. */
export async function trySignal(
  deps: Pick<ContainerDeps, 'tasks'>,
  task: TaskRecord,
  signal: number,
): Promise<void> {
  try {
    await deps.tasks.signal(task, signal);
  } catch (error) {
    if (kindOf(error) !== 'conflict') throw error;
  }
}
