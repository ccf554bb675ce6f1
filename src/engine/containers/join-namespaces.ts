/** The PID and IPC namespaces of a container that is about to start. */
import type { JoinedNamespaces } from '../../runtime/spec-builder.ts';
import type { TaskRecord } from '../../runtime/task-runner.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { isRestarting, liveStatus } from './container-status.ts';
import { cannotJoin, containerReference, notShareable } from './namespace-modes.ts';

type JoinDeps = Pick<ContainerDeps, 'registry' | 'volumes' | 'tasks'>;

const SHM_DIR = '/dev/shm';
/** The name of a container's shared memory among its pins. */
const SHM_PLACE = 'shm';

/**
 * Finds the namespaces that the container shares with others and keeps them until it has ended, so that no other
 * process can be met under the same id. Registers what undoes it. `internal` or `invalid-argument` with Docker's
 * texts when the other container is not there, does not run or does not share.
 */
export async function joinNamespaces(
  deps: JoinDeps,
  { id, hostConfig }: Pick<ContainerDocument, 'id' | 'hostConfig'>,
  undo: CleanupStack,
): Promise<JoinedNamespaces> {
  if (!hasPins(hostConfig)) return {};
  undo.defer(() => letGoOfNamespaces(deps, id, hostConfig));
  const pidRef = containerReference(hostConfig.PidMode);
  const ipcRef = containerReference(hostConfig.IpcMode);
  return {
    ...(pidRef === undefined ? {} : { pid: await joinPid(deps, id, pidRef) }),
    ...(ipcRef === undefined ? {} : await joinIpc(deps, id, ipcRef)),
    ...(hostConfig.IpcMode === 'shareable'
      ? { shmDir: await deps.volumes.sharedMemory(shmBytes(hostConfig), shmPlace(id)) }
      : {}),
  };
}

/** Lets go of the namespaces and the memory that the container shares. Idempotent. */
export async function letGoOfNamespaces(
  deps: Pick<ContainerDeps, 'volumes'>,
  id: ContainerId,
  hostConfig: HostConfig,
): Promise<void> {
  if (hasPins(hostConfig)) await deps.volumes.detach(id, []);
}

function hasPins({ PidMode, IpcMode }: HostConfig): boolean {
  const isJoined = [PidMode, IpcMode].some((mode) => containerReference(mode) !== undefined);
  return isJoined || IpcMode === 'shareable';
}

function joinPid(deps: JoinDeps, id: ContainerId, ref: string): Promise<string> {
  const { task } = runningTarget(deps, 'PID', ref);
  return pinned(deps, task, { kind: 'pid', key: id });
}

async function joinIpc(deps: JoinDeps, id: ContainerId, ref: string): Promise<JoinedNamespaces> {
  const { task, document } = runningTarget(deps, 'IPC', ref);
  const owner = memoryOwner(deps, document, ref);
  if (owner === 'engine') return { ipcIsEngines: true };
  return {
    ipc: await pinned(deps, task, { kind: 'ipc', key: id }),
    shmDir: await deps.volumes.sharedMemory(shmBytes(owner.hostConfig), shmPlace(owner.id)),
  };
}

/** Whose shared memory a container has that may itself have joined another one. */
function memoryOwner(
  deps: JoinDeps,
  { id, hostConfig, mounts }: ContainerDocument,
  ref: string,
): 'engine' | Pick<ContainerDocument, 'id' | 'hostConfig'> {
  const mode = hostConfig.IpcMode ?? '';
  if (mode === 'host') return 'engine';
  const next = containerReference(mode);
  if (next !== undefined) {
    return memoryOwner(deps, runningTarget(deps, 'IPC', next).document, ref);
  }
  const isElsewhere = mounts.some(({ destination }) => destination === SHM_DIR);
  if (mode !== 'shareable' || isElsewhere) throw notShareable(ref);
  return { id, hostConfig };
}

function runningTarget(deps: JoinDeps, kind: 'PID' | 'IPC', ref: string) {
  const document = find(deps, kind, ref);
  const live = liveStatus(document.status);
  if (live !== undefined) return { document, task: live.task };
  const state = isRestarting(document.status) ? 'restarting' : 'stopped';
  throw cannotJoin(kind, { ref, state });
}

function find(deps: JoinDeps, kind: 'PID' | 'IPC', ref: string): ContainerDocument {
  const found = deps.registry.tryResolve(ref);
  if (found === undefined) throw cannotJoin(kind, { ref, state: 'missing' });
  return found;
}

/** The pin was made of the right process when that process still runs afterwards. */
async function pinned(
  deps: JoinDeps,
  task: TaskRecord,
  { kind, key }: { readonly kind: 'pid' | 'ipc'; readonly key: string },
): Promise<string> {
  const path = `/proc/${task.init.pid}/ns/${kind}`;
  const pin = await deps.volumes.pinNamespace(path, { key, place: `ns-${kind}` });
  await deps.tasks.signal(task, 0);
  return pin;
}

const shmPlace = (key: ContainerId) => ({ key, place: SHM_PLACE });

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

const shmBytes = ({ ShmSize }: HostConfig) => ShmSize || DEFAULT_SHM_BYTES;
