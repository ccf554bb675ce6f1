/** Recovery at start: observe, plan, execute. Runs before the API listens. */

import { isDeepStrictEqual } from 'node:util';
import type { TaskObservation, TaskRecord } from '../../runtime/task-runner.ts';
import { assertNever } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import { SIGKILL } from '../../shared/signals.ts';
import { settleNetworkChange } from '../containers/connect-network.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import type { ContainerStatus } from '../containers/container-document.ts';
import { isRestarting, lastExit, liveStatus } from '../containers/container-status.ts';
import { networkFacts } from '../containers/join-network.ts';
import { keptLog } from '../containers/kept-log.ts';
import { trySignal } from '../containers/kill-container.ts';
import { removeLocked } from '../containers/remove-container.ts';
import { stopContainer } from '../containers/stop-container.ts';
import { releaseResources, settleExit, superviseTask } from '../containers/supervise-task.ts';
import { type Action, type Observed, planRecovery } from './plan.ts';

/**
 * Brings documents and kernel in line, then lets restarts by policy happen, in the background. One container that
 * cannot be recovered does not stop the others.
 */
export async function recover(
  deps: ContainerDeps,
  machine: Pick<Observed, 'isNewMachine'>,
): Promise<void> {
  const actions = planRecovery({ ...(await observe(deps)), ...machine });
  for (const action of actions) {
    try {
      await execute(deps, action);
    } catch (error) {
      deps.logger.error('recovery step failed', { action: action.do, error });
    }
  }
  deps.restarts.open();
  void finishLogs(deps);
}

/** What the last engine had not got to when containers ended; one after the other, as nobody waits for it. */
async function finishLogs(deps: ContainerDeps): Promise<void> {
  for (const { id } of deps.registry.all()) {
    const document = deps.registry.tryGet(id);
    if (document?.status.state !== 'exited') continue;
    await deps.logKeeper.end(keptLog(deps.files, document));
  }
}

async function observe(deps: ContainerDeps): Promise<Omit<Observed, 'isNewMachine'>> {
  const documents = deps.registry.all();
  const tasks = new Map<ContainerId, TaskObservation>();
  for (const { id, status } of documents) {
    const live = liveStatus(status);
    if (live === undefined && status.state !== 'starting') continue;
    tasks.set(id, await deps.tasks.observe(id, live?.task));
  }
  return {
    documents,
    damagedIds: deps.registry.damagedIds(),
    tasks,
    taskIds: await deps.tasks.list(),
    sandboxIds: await deps.sandboxes.list(),
    snapshotKeys: await deps.snapshots.listActive(),
    volumes: deps.volumes.unfinished(),
    now: deps.clock.nowIso(),
  };
}

async function execute(deps: ContainerDeps, action: Action): Promise<void> {
  deps.logger.info('recovery', { ...action });
  switch (action.do) {
    case 'adopt':
      return await adopt(deps, action.id, action.task);
    case 'freeze':
      return await deps.tasks.pause(action.task);
    case 'thaw':
      return await thaw(deps, action.id, action.task);
    case 'finish-stop':
      return await finishStop(deps, action.id, action.task);
    case 'settle':
      return await settleExit(deps, action.id, action.exit);
    case 'undo-start':
      return await undoStart(deps, action.id, action.task);
    case 'resume-restart':
      return deps.restarts.schedule(action.id, action.delayMs);
    case 'start-by-policy':
      return await startByPolicy(deps, action.id);
    case 'finish-removal':
      return await finishRemoval(deps, action.id, action.exitCode);
    case 'discard-task':
      return await discardTask(deps, action.id);
    case 'discard-sandbox':
      return await deps.sandboxes.remove(action.id);
    case 'keep-volume':
      return await deps.volumes.keep([action.name]);
    case 'discard-volume':
      return await deps.volumes.removeUnused(action.name);
    case 'discard-snapshot':
      return await deps.snapshots.removeActive(action.key);
    default:
      return assertNever(action);
  }
}

async function adopt(deps: ContainerDeps, id: ContainerId, task: TaskRecord): Promise<void> {
  await deps.snapshots.mount(id);
  const sandbox = await deps.sandboxes.restore(id);
  if (sandbox !== undefined) {
    const live = liveStatus(deps.registry.get(id).status);
    const network = networkFacts(sandbox);
    if (live !== undefined) {
      await deps.registry.amend(id, (document) => {
        const settled = settleNetworkChange(document, sandbox.endpoints);
        const next = { ...settled, status: { ...live, network } };
        // Nothing is written for a container that is as it was: there may be a thousand.
        return isDeepStrictEqual(next, document) ? document : next;
      });
    }
  }
  deps.logKeeper.begin(keptLog(deps.files, deps.registry.get(id)));
  superviseTask(deps, task);
  deps.health.begin(id);
}

async function thaw(deps: ContainerDeps, id: ContainerId, task: TaskRecord): Promise<void> {
  await deps.tasks.resume(task);
  await deps.registry.amend(id, (document) => {
    const live = liveStatus(document.status);
    if (live === undefined) return document;
    return { ...document, status: { state: 'running', task, network: live.network } };
  });
}

/** Durably on its way before anything happens, and free of what the policy counted before. */
async function startByPolicy(deps: ContainerDeps, id: ContainerId): Promise<void> {
  await deps.registry.amend(id, (document) => {
    const { restartDelayMs: _, ...rest } = document;
    if (rest.status.state !== 'exited') return document;
    const status = { state: 'restarting', last: rest.status.last } as const;
    return { ...rest, restartCount: 0, hasBeenManuallyStopped: false, status };
  });
  deps.restarts.schedule(id, 0);
}

async function finishStop(deps: ContainerDeps, id: ContainerId, task: TaskRecord): Promise<void> {
  await adopt(deps, id, task);
  stopContainer(deps, id, {
    timeoutSeconds: undefined,
    signal: undefined,
    byHand: false,
  }).catch((error: unknown) => deps.logger.error('cannot finish a stop', { container: id, error }));
}

async function undoStart(
  deps: ContainerDeps,
  id: ContainerId,
  task: TaskRecord | undefined,
): Promise<void> {
  if (task !== undefined) await endTask(deps, task);
  await releaseResources(deps, id);
  await deps.tasks.remove(id);
  const document = await deps.registry.transition(id, cutOffStatus(deps.registry.get(id).status));
  if (document.hostConfig.AutoRemove === true) await finishRemoval(deps, id, 128);
  if (document.status.state === 'restarting') {
    deps.restarts.schedule(id, document.restartDelayMs ?? 0);
  }
}

/** The status of a container whose start was cut off. */
function cutOffStatus(status: ContainerStatus): ContainerStatus {
  const error = 'the engine was stopped while the container was being started';
  const last = lastExit(status);
  if (last !== undefined && isRestarting(status)) return { state: 'restarting', last };
  return last === undefined
    ? { state: 'created', error, exitCode: 128 }
    : { state: 'exited', last: { ...last, error } };
}

function finishRemoval(deps: ContainerDeps, id: ContainerId, exitCode: number): Promise<void> {
  return deps.locks.run(id, () =>
    removeLocked(deps, id, {
      volumes: deps.registry.get(id).hostConfig.AutoRemove === true,
      end: { exitCode, error: '' },
    }),
  );
}

async function discardTask(deps: ContainerDeps, id: ContainerId): Promise<void> {
  const found = await deps.tasks.observe(id, undefined);
  if (found.state === 'running') await endTask(deps, found.record);
  await deps.tasks.remove(id);
}

async function endTask(deps: ContainerDeps, task: TaskRecord): Promise<void> {
  await trySignal(deps, task, SIGKILL);
  await deps.tasks.waitExit(task);
}
