/** `POST /containers/{id}/start`. */
import type { JoinedNamespaces } from '../../runtime/spec-builder.ts';
import type { TaskRecord } from '../../runtime/task-runner.ts';
import { CleanupStack } from '../../shared/cleanup-stack.ts';
import { messageOf } from '../../shared/errors.ts';
import { initialHealth } from '../health/health-record.ts';
import { checkPropagation } from './check-propagation.ts';
import { type ContainerDeps, reportCleanup } from './container-deps.ts';
import type { ContainerDocument, ContainerStatus, MountPoint } from './container-document.ts';
import { startExitCode } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { isRestarting, lastExit, startRefusal } from './container-status.ts';
import { holdVolumes } from './hold-volumes.ts';
import { joinNamespaces } from './join-namespaces.ts';
import { type JoinedNetwork, joinNetwork } from './join-network.ts';
import { keptLog } from './kept-log.ts';
import { checkLinks, linkVariables } from './linked-containers.ts';
import { nameFileMounts, refreshLinks, writeNameFiles } from './name-file-mounts.ts';
import { publishNetworkEvents } from './network-events.ts';
import { removeLocked } from './remove-container.ts';
import { toSpecMounts } from './spec-mounts.ts';
import { superviseTask } from './supervise-task.ts';

/**
 * Starts a created or exited container by hand: its restart policy begins anew. Acquires in order; on failure
 * undoes in reverse. Not cancellable after the intent write: half a start is worse than a late one.
 */
export function startContainer(
  deps: ContainerDeps,
  ref: string,
): Promise<'started' | 'already-running'> {
  const { id } = deps.registry.resolve(ref);
  return deps.locks.run(id, async () => {
    const before = deps.registry.get(id);
    if (before.status.state === 'running' || isRestarting(before.status)) return 'already-running';
    const refusal = startRefusal(before);
    if (refusal !== undefined) throw refusal;
    await startOrRecordFailure(deps, before);
    return 'started';
  });
}

/**
 * Starts a container that has no process; the caller holds its lock. A failure is recorded before it is thrown.
 */
export async function startOrRecordFailure(
  deps: ContainerDeps,
  document: ContainerDocument,
): Promise<void> {
  try {
    await startLocked(deps, document);
  } catch (error) {
    await recordFailure(deps, document, error);
    throw error;
  }
}

async function startLocked(deps: ContainerDeps, document: ContainerDocument): Promise<void> {
  const { id } = document;
  await using undo = new CleanupStack(reportCleanup(deps, id));
  deps.logKeeper.assertPossible(keptLog(deps.files, document).policy);
  await deps.registry.amend(id, toStarting);
  deps.failpoints.hit('container-start:after-intent');
  const rootfsDir = await deps.snapshots.mount(id);
  undo.defer(() => deps.snapshots.unmount(id));
  await checkPropagation(deps, document.mounts);
  deps.failpoints.hit('container-start:after-mount');
  const mounts = await holdVolumes(deps, document, undo);
  deps.failpoints.hit('container-start:after-volumes');
  const network = await joinNetwork(deps, document, undo);
  deps.failpoints.hit('container-start:after-network');
  checkLinks(deps.registry, document, network.facts);
  const joined = await joinNamespaces(deps, document, undo);
  deps.failpoints.hit('container-start:after-namespaces');
  const task = await runTask(deps, document, { rootfsDir, mounts, network, joined });
  undo.defer(() => deps.tasks.remove(id));
  undo.defer(() => deps.tasks.signal(task, 9));
  deps.failpoints.hit('container-start:after-task');
  const running = await deps.registry.amend(id, (current) => ({
    ...current,
    ...initialHealth(current),
    status: { state: 'running', task, network: network.facts, ...previousEnd(document.status) },
  }));
  deps.failpoints.hit('container-start:after-document');

  undo.release();
  publishNetworkEvents(deps, running, 'connect');
  publishContainerEvent(deps, running, { action: 'start' });
  deps.signals.notify(id, 'started', task);
  await refreshLinks(deps, id).catch(reportCleanup(deps, id));
  deps.health.begin(id);
  deps.logKeeper.begin(keptLog(deps.files, running));
  superviseTask(deps, task);
}

function previousEnd(before: ContainerStatus): { readonly previousEnd?: string } {
  const last = lastExit(before);
  return last === undefined ? {} : { previousEnd: last.finishedAt };
}

/** A start that the restart policy did not ask for makes the policy begin anew. */
function toStarting(document: ContainerDocument): ContainerDocument {
  const status = intent(document);
  if (document.status.state === 'restarting') return { ...document, status };
  const { restartDelayMs: _, ...rest } = document;
  return { ...rest, restartCount: 0, hasBeenManuallyStopped: false, status };
}

function intent(document: ContainerDocument): ContainerStatus {
  const last = lastExit(document.status);
  return {
    state: 'starting',
    before: stateBefore(document.status),
    ...(last === undefined ? {} : { last }),
  };
}

function stateBefore({ state }: ContainerStatus): 'created' | 'exited' | 'restarting' {
  return state === 'exited' || state === 'restarting' ? state : 'created';
}

/** What a start has acquired when the process is made. */
interface StartPlace {
  readonly rootfsDir: string;
  readonly mounts: readonly MountPoint[];
  readonly network: JoinedNetwork;
  readonly joined: JoinedNamespaces;
}

async function runTask(
  deps: ContainerDeps,
  document: ContainerDocument,
  place: StartPlace,
): Promise<TaskRecord> {
  const { id, config, hostConfig } = document;
  const { initPath } = deps.settings;
  const { owner, facts } = place.network;
  // Who shares a network shares its names: both see the files of the container whose network it is.
  const nameFiles =
    owner === undefined
      ? await writeNameFiles(deps, document, facts)
      : deps.files.nameFilePaths(owner.id);
  const spec = await deps.specs.build({
    id,
    config: {
      ...config,
      Env: [...linkVariables(deps.registry, document, facts), ...(config.Env ?? [])],
    },
    hostConfig,
    rootfsDir: place.rootfsDir,
    network: place.network.namespace,
    joined: place.joined,
    mounts: [...nameFileMounts(nameFiles), ...toSpecMounts(place.mounts)],
    hostname: (owner ?? document).config.Hostname ?? '',
    keptIds: deps.snapshots.keptIds(id),
    ...(hostConfig.Init === true && initPath !== undefined ? { initPath } : {}),
  });
  const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? [];
  return await deps.tasks.start({
    id,
    runtimeName: document.runtimeName,
    rootfsDir: place.rootfsDir,
    spec,
    logPath: deps.files.logPath(id),
    terminal: config.Tty ?? false,
    ...(rows > 0 && columns > 0 ? { terminalSize: { rows, columns } } : {}),
    openStdin: config.OpenStdin ?? false,
    stdinOnce: config.StdinOnce ?? false,
    resources: hostConfig,
  });
}

/** A container that failed to start keeps the reason; one that asked for its removal goes. */
async function recordFailure(
  deps: ContainerDeps,
  before: ContainerDocument,
  error: unknown,
): Promise<void> {
  const { id } = before;
  const exitCode = startExitCode(error, 128);
  const text = messageOf(error);
  try {
    const status = failedStatus(before, { exitCode, text });
    // True whether the disk takes it or not: a start that failed for want of room must not seem to go on.
    await deps.registry.record(id, (document) => ({ ...document, status }));
    if (before.hostConfig.AutoRemove === true) {
      // The start itself reports the error; a client that waits for the removal must not print it again.
      await removeLocked(deps, id, { volumes: true, end: { exitCode, error: '' } });
    }
  } catch (cleanupError: unknown) {
    reportCleanup(deps, id)(cleanupError);
  }
}

function failedStatus(
  before: ContainerDocument,
  failure: { readonly exitCode: number; readonly text: string },
): ContainerStatus {
  const last = lastExit(before.status);
  return last === undefined
    ? { state: 'created', error: failure.text, exitCode: failure.exitCode }
    : { state: 'exited', last: { ...last, exitCode: failure.exitCode, error: failure.text } };
}
