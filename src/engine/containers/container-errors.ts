/** Errors of containers, with the texts that Docker's clients know. */
import { EngineError, findEngineError } from '../../shared/errors.ts';
import { parseSignal } from '../../shared/signals.ts';

export const noSuchContainer = (ref: string) =>
  new EngineError('not-found', `No such container: ${ref}`);

export const ambiguousContainer = (ref: string) =>
  new EngineError('invalid-argument', `multiple IDs found with provided prefix: ${ref}`);

export const nameInUse = (name: string, byId: string) =>
  new EngineError(
    'conflict',
    `Conflict. The container name "/${name}" is already in use by container "${byId}". ` +
      'You have to remove (or rename) that container to be able to reuse that name.',
  );

export const invalidName = (name: string) =>
  new EngineError(
    'invalid-argument',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );

export const emptyName = () =>
  new EngineError('invalid-argument', 'Neither old nor new names may be empty');

export const sameName = () =>
  new EngineError(
    'invalid-argument',
    'Renaming a container with the same name as its current name',
  );

export const notRunning = (id: string) =>
  new EngineError('conflict', `container ${id} is not running`);

export const cannotKillStopped = (id: string) =>
  new EngineError('conflict', `cannot kill container: ${id}: container ${id} is not running`);

export const isPaused = (id: string) =>
  new EngineError('conflict', `container ${id} is paused, unpause the container before exec`);

export const isRestartingNow = (id: string) =>
  new EngineError('conflict', `Container ${id} is restarting, wait until the container is running`);

export const alreadyPaused = (id: string) =>
  new EngineError('conflict', `container ${id} is already paused`);

export const notPaused = (id: string) =>
  new EngineError('conflict', `Container ${id} is not paused`);

export const cannotStartPaused = () =>
  new EngineError('conflict', 'cannot start a paused container, try unpause instead');

export const markedForRemoval = () =>
  new EngineError('conflict', 'container is marked for removal and cannot be started');

export const busyStopping = (id: string) =>
  new EngineError('conflict', `container ${id} is being stopped`);

export const cannotAttachPaused = () =>
  new EngineError('conflict', 'You cannot attach to a paused container, unpause it first');

export const removeRunning = (name: string, state: 'running' | 'paused' | 'restarting') =>
  new EngineError(
    'conflict',
    `cannot remove container "/${name}": container is ${state}: stop the container before removing or force remove`,
  );

/** An option of `ps` that would make another column look like the process ids. */
export const renamedPsColumn = (column: string, title: string) =>
  new EngineError('invalid-argument', `specifying "${column}=${title}" is not allowed`);

export const streamOfOneShot = () =>
  new EngineError('invalid-argument', 'cannot have stream=true and one-shot=true');

export const cannotUpdate = (id: string, why: string) =>
  new EngineError('conflict', `Cannot update container ${id}: ${why}`);

export const removalInProgress = (id: string) =>
  new EngineError('conflict', `removal of container ${id} is already in progress`);

/** A container without a file system any more, or soon. */
export const isOnItsWayOut = (
  verb: 'commit' | 'export',
  id: string,
  state: 'dead' | 'removing',
) => {
  const how = state === 'dead' ? 'Dead' : 'being removed';
  return new EngineError('conflict', `You cannot ${verb} container ${id} which is ${how}`);
};

export const noCommand = () => new EngineError('invalid-argument', 'no command specified');

export const autoRemoveWithRestart = () =>
  new EngineError('invalid-argument', "can't create 'AutoRemove' container with restart policy");

/** A variable without a name. Docker's text. */
export const invalidVariable = (line: string) =>
  new EngineError('invalid-argument', `invalid environment variable: ${line}`);

export const invalidRestartPolicy = (message: string) =>
  new EngineError('invalid-argument', message);

export const healthDurationTooShort = (field: string) =>
  new EngineError('invalid-argument', `${field} in Healthcheck cannot be less than 1ms`);

export const negativeHealthRetries = () =>
  new EngineError('invalid-argument', 'Retries in Healthcheck cannot be negative');

export const invalidMount = (message: string, cause?: unknown) =>
  new EngineError('invalid-argument', message, { cause });

export const wrongPropagation = (path: string, mountPoint: string, wanted: 'shared' | 'slave') =>
  new EngineError(
    'internal',
    `path ${path} is mounted on ${mountPoint} but it is not a ${wanted === 'shared' ? 'shared' : 'shared or slave'} mount`,
  );

export const duplicateMountPoint = (destination: string) =>
  new EngineError('invalid-argument', `Duplicate mount point: ${destination}`);

export const invalidSignal = (text: string) =>
  new EngineError('invalid-argument', `invalid signal: ${text}`);

export const invalidWorkingDir = (dir: string) =>
  new EngineError(
    'invalid-argument',
    `the working directory '${dir}' is invalid, it needs to be an absolute path`,
  );

export const platformMismatch = (image: string, wanted: string, actual: string) =>
  new EngineError(
    'not-found',
    `image with reference ${image} was found but its platform (${actual}) does not match the specified platform (${wanted})`,
  );

export const unknownRuntime = (name: string) =>
  new EngineError('invalid-argument', `unknown or invalid runtime name: ${name}`);

export const networkNotFound = (name: string) =>
  new EngineError('not-found', `network ${name} not found`);

export const notConnectedTo = (id: string, networkName: string) =>
  new EngineError('internal', `container ${id} is not connected to the network ${networkName}`);

export const unsupportedSetting = (setting: string, why: string) =>
  new EngineError('invalid-argument', `${setting} is not supported: ${why}`);

export const conflictingNetworkOptions = (message: string) =>
  new EngineError('invalid-argument', `conflicting options: ${message}`);

/** A kernel setting of a network that is not the container's own; the text is that of OCI runtimes. */
export const sysctlOfHost = (name: string) =>
  new EngineError('invalid-argument', `sysctl "${name}" not allowed in host network namespace`);

/** The number of a signal that a client named. */
export function requireSignal(text: string): number {
  const signal = parseSignal(text);
  if (signal === undefined) throw invalidSignal(text);
  return signal;
}

/**
 * The exit code of a process that could not be started, as dockerd chooses it: 126 or 127 when the command itself
 * was the reason; else 128 for a container and 126 for an exec session (`otherwise`).
 */
export function startExitCode(error: unknown, otherwise: number): number {
  const code = Number(findEngineError(error)?.details['exitCode']);
  return code === 126 || code === 127 ? code : otherwise;
}
