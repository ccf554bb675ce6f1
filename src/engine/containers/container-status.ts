/** What may be done with a container in each state. */
import { assertNever, type EngineError } from '../../shared/errors.ts';
import type { ContainerDocument, ContainerStatus, ExitFacts } from './container-document.ts';
import {
  busyStopping,
  cannotStartPaused,
  markedForRemoval,
  removalInProgress,
  removeRunning,
} from './container-errors.ts';

/** Status of a container that has a process. */
export type LiveStatus = Extract<ContainerStatus, { state: 'running' | 'paused' | 'stopping' }>;

/** The live part of a status, or undefined when no process runs. */
export function liveStatus(status: ContainerStatus): LiveStatus | undefined {
  switch (status.state) {
    case 'running':
    case 'paused':
    case 'stopping':
      return status;
    case 'created':
    case 'starting':
    case 'exited':
    case 'restarting':
    case 'removing':
    case 'dead':
      return undefined;
    default:
      return assertNever(status);
  }
}

/** True while the policy is about to restart the container: it waits, or its process is being started. */
export function isRestarting(status: ContainerStatus): boolean {
  return (
    status.state === 'restarting' || (status.state === 'starting' && status.before === 'restarting')
  );
}

/** What Docker calls running: a container with a process, or one that its policy will give a new one. */
export function countsAsRunning(status: ContainerStatus): boolean {
  return liveStatus(status) !== undefined || isRestarting(status);
}

/** True when the process runs and is not frozen (a container being stopped still runs). */
export function isRunning(status: ContainerStatus): boolean {
  return status.state === 'running' || status.state === 'stopping';
}

/** How the last run ended, when there was one. */
export function lastExit(status: ContainerStatus): ExitFacts | undefined {
  return 'last' in status ? status.last : undefined;
}

/** Why a container in this state cannot be started; undefined when it can, or when it runs already. */
export function startRefusal(document: ContainerDocument): EngineError | undefined {
  switch (document.status.state) {
    case 'paused':
      return cannotStartPaused();
    case 'removing':
    case 'dead':
      return markedForRemoval();
    case 'stopping':
      return busyStopping(document.id);
    default:
      return undefined;
  }
}

/** Why a container in this state cannot be removed without force; undefined when it can. */
export function removeRefusal(document: ContainerDocument): EngineError | undefined {
  switch (document.status.state) {
    case 'running':
    case 'stopping':
      return removeRunning(document.name, 'running');
    case 'paused':
      return removeRunning(document.name, 'paused');
    case 'restarting':
      return removeRunning(document.name, 'restarting');
    case 'removing':
      return removalInProgress(document.id);
    default:
      return undefined;
  }
}
