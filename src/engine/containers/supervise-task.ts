/** What happens when a container's process ends. */
import type { TaskExit, TaskRecord } from '../../runtime/task-runner.ts';
import type { ContainerId } from '../../shared/ids.ts';
import { healthAfterRun } from '../health/health-record.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument, ExitFacts } from './container-document.ts';
import { publishContainerEvent } from './container-events.ts';
import { liveStatus } from './container-status.ts';
import { letGoOfVolumes } from './hold-volumes.ts';
import { letGoOfNamespaces } from './join-namespaces.ts';
import { keptLog } from './kept-log.ts';
import { publishNetworkEvents } from './network-events.ts';
import { removeLocked } from './remove-container.ts';
import { restartDelayAfter } from './restart-policy.ts';

/** Waits in the background for the end of a task and then settles the container. */
export function superviseTask(deps: ContainerDeps, task: TaskRecord): void {
  const running = new AbortController();
  hearOfKills(deps, task, running.signal);
  deps.tasks
    .waitExit(task)
    .finally(() => running.abort())
    .then((exit) => settleExit(deps, task.id, exit))
    .catch((error: unknown) => {
      deps.logger.error('cannot record the end of a container', { container: task.id, error });
    });
}

/** Tells at once that a process was killed for want of memory: the container may run on without it. */
function hearOfKills(deps: ContainerDeps, task: TaskRecord, running: AbortSignal): void {
  const { id } = task;
  const report = reportCleanup(deps, id);
  const tell = async () => {
    const document = deps.registry.tryGet(id);
    const live = document === undefined ? undefined : liveStatus(document.status);
    if (document === undefined || live?.task.init.pid !== task.init.pid) return;
    const status = { ...live, oomKilled: true };
    await deps.registry.record(id, (current) => ({ ...current, status }));
    publishContainerEvent(deps, document, { action: 'oom' });
  };
  const onKill = () => {
    deps.locks.run(id, tell).catch(report);
  };
  deps.observer.watchMemory(task, onKill, running).catch(report);
}

/**
 * Records the end of a run: frees network and mounts, stores the exit, tells waiters, and then removes the
 * container or has it restarted when it asked for that. Does nothing when the container is not live any more.
 */
export async function settleExit(
  deps: ContainerDeps,
  id: ContainerId,
  exit: TaskExit,
): Promise<void> {
  const error = exit.lost ? 'container process was lost with its monitor' : '';
  const end = { exitCode: exit.exitCode, error };
  deps.signals.notify(id, 'ended', end);
  deps.health.end(id);
  await deps.locks.run(id, async () => {
    const document = deps.registry.tryGet(id);
    const live = document === undefined ? undefined : liveStatus(document.status);
    if (document === undefined || live === undefined) return;
    const facts = exitFacts(live.task, exit, error);
    await releaseResources(deps, id);
    deps.failpoints.hit('container-exit:after-release');
    if (document.hostConfig.AutoRemove === true && !deps.keptOnExit.has(id)) {
      const status = { state: 'removing', last: facts, volumes: true } as const;
      await deps.registry.record(id, (current) => ({ ...current, status }));
      announceExit(deps, document, facts);
      await removeLocked(deps, id, { volumes: true, end });
      return;
    }
    const delayMs = live.state === 'stopping' ? undefined : restartDelayAfter(document, facts);
    const kept = await deps.registry.record(id, (current) => afterRun(current, facts, delayMs));
    deps.failpoints.hit('container-exit:after-document');
    announceExit(deps, document, facts);
    // What the disk did not take, a new engine learns from the task's own files.
    if (kept === 'stored') discardTask(deps, id);
    void deps.logKeeper.end(keptLog(deps.files, document));
    if (delayMs !== undefined) deps.restarts.schedule(id, delayMs);
  });
}

/** The document of a container at rest, or of one that waits `restartDelayMs` for its restart. */
function afterRun(
  document: ContainerDocument,
  last: ExitFacts,
  restartDelayMs: number | undefined,
): ContainerDocument {
  const { networkChange: _, ...settled } = document;
  const ended = { ...settled, ...healthAfterRun(document) };
  if (restartDelayMs === undefined) return { ...ended, status: { state: 'exited', last } };
  const restartCount = document.restartCount + 1;
  return { ...ended, restartCount, restartDelayMs, status: { state: 'restarting', last } };
}

function exitFacts(task: TaskRecord, exit: TaskExit, error: string): ExitFacts {
  const { exitCode, finishedAt, oomKilled } = exit;
  return { exitCode, finishedAt, oomKilled, startedAt: task.startedAt, error };
}

/** Frees what a run holds. Goes on after a failed step. */
export async function releaseResources(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const { mounts = [], hostConfig = {} } = deps.registry.tryGet(id) ?? {};
  const steps = [
    () => deps.sandboxes.remove(id),
    () => letGoOfNamespaces(deps, id, hostConfig),
    () => letGoOfVolumes(deps, id, mounts),
    () => deps.snapshots.unmount(id),
  ];
  for (const step of steps) await step().catch(reportCleanup(deps, id));
}

function announceExit(deps: ContainerDeps, document: ContainerDocument, facts: ExitFacts): void {
  const ranMs = Date.parse(facts.finishedAt) - Date.parse(facts.startedAt);
  const execDuration = String(Math.max(0, Math.floor(ranMs / 1000)));
  const attributes = { exitCode: String(facts.exitCode), execDuration };
  // Mostly told already, when it happened.
  const wasTold = liveStatus(document.status)?.oomKilled === true;
  if (facts.oomKilled && !wasTold) publishContainerEvent(deps, document, { action: 'oom' });
  publishContainerEvent(deps, document, { action: 'die', attributes });
  publishNetworkEvents(deps, document, 'disconnect');
  deps.signals.notify(document.id, 'settled', { exitCode: facts.exitCode, error: facts.error });
}

/** The runtime's own files of an ended task go in the background: nobody waits for them. */
function discardTask(deps: ContainerDeps, id: ContainerId): void {
  deps.tasks.remove(id).catch(reportCleanup(deps, id));
}
