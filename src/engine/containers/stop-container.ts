/** `POST /containers/{id}/stop` and `/restart`. */
import type { ContainerId } from '../../shared/ids.ts';
import { cancelRestart } from './cancel-restart.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { requireSignal } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { type LiveStatus, liveStatus } from './container-status.ts';
import { askToEnd, killAndSettle } from './kill-container.ts';
import { startContainer } from './start-container.ts';

export interface StopOptions {
  /** Undefined: the container's own, or 10. Negative: for ever. */
  readonly timeoutSeconds: number | undefined;
  /** Undefined: the container's own, or SIGTERM. */
  readonly signal: string | undefined;
  /** False when the daemon ends: the restart policy holds on. Default true. */
  readonly byHand?: boolean;
}

const DEFAULT_TIMEOUT_SECONDS = 10;

/** Asks the process to end and kills it when it takes too long. Answers once its end is recorded. */
export async function stopContainer(
  deps: ContainerDeps,
  ref: string,
  options: StopOptions,
): Promise<'stopped' | 'not-running'> {
  const { id } = deps.registry.resolve(ref);
  const live = await markStopping(deps, id, options.byHand ?? true);
  if (live === undefined) return await stopRestarting(deps, id);
  const document = deps.registry.get(id);
  const signal = requireSignal(options.signal || document.config.StopSignal || 'SIGTERM');
  await endTask(deps, { id, live, signal, timeoutMs: timeoutMs(document, options) });
  publishContainerEvent(deps, document, { action: 'stop' });
  return 'stopped';
}

/** Writes the intent; undefined when no process runs. */
function markStopping(
  deps: ContainerDeps,
  id: ContainerId,
  byHand: boolean,
): Promise<LiveStatus | undefined> {
  return deps.locks.run(id, async () => {
    const live = liveStatus(deps.registry.get(id).status);
    if (live === undefined) return undefined;
    if (live.state === 'paused') await deps.tasks.resume(live.task);
    await deps.registry.amend(id, (document) => ({
      ...document,
      hasBeenManuallyStopped: byHand || document.hasBeenManuallyStopped === true,
      status: { ...live, state: 'stopping' },
    }));
    deps.failpoints.hit('container-stop:after-intent');
    return live;
  });
}

async function stopRestarting(
  deps: ContainerDeps,
  id: ContainerId,
): Promise<'stopped' | 'not-running'> {
  if (!(await cancelRestart(deps, id))) return 'not-running';
  publishContainerEvent(deps, deps.registry.get(id), { action: 'stop' });
  return 'stopped';
}

function timeoutMs(document: ContainerDocument, options: StopOptions): number {
  const seconds = options.timeoutSeconds ?? document.config.StopTimeout ?? DEFAULT_TIMEOUT_SECONDS;
  return seconds < 0 ? Number.POSITIVE_INFINITY : seconds * 1000;
}

interface Ending {
  readonly id: ContainerId;
  readonly live: LiveStatus;
  readonly signal: number;
  readonly timeoutMs: number;
}

async function endTask(deps: ContainerDeps, ending: Ending): Promise<void> {
  const { id, live, signal } = ending;
  if (ending.timeoutMs === 0) return killAndSettle(deps, id, live.task);
  const patience = new AbortController();
  const settled = deps.signals.next(id, ['settled', 'removed'], patience.signal);
  await askToEnd(deps, id, { task: live.task, signal });
  const timer = Number.isFinite(ending.timeoutMs)
    ? setTimeout(() => patience.abort(), ending.timeoutMs)
    : undefined;
  try {
    if ((await settled) === undefined) await killAndSettle(deps, id, live.task);
  } finally {
    clearTimeout(timer);
  }
}

/** Stops a running container and starts it again; a container with `AutoRemove` stays. */
export async function restartContainer(
  deps: ContainerDeps,
  ref: string,
  options: StopOptions,
): Promise<void> {
  const document = deps.registry.resolve(ref);
  const { id } = document;
  deps.keptOnExit.add(id);
  try {
    await stopContainer(deps, id, options);
  } finally {
    deps.keptOnExit.delete(id);
  }
  deps.failpoints.hit('container-restart:after-stop');
  await startContainer(deps, id);
  publishContainerEvent(deps, document, { action: 'restart' });
}
