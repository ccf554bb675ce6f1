/** Modes that name another container whose namespace is shared: `container:NAME`. */
import { EngineError } from '../../shared/errors.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { ContainerRegistry } from './container-registry.ts';

/** Name or id of the container that a mode names; undefined for every other mode. */
export function containerReference(mode: string | undefined): string | undefined {
  return /^container:(.+)$/.exec(mode ?? '')?.[1];
}

/**
 * Puts ids for names, so that the bond outlives a renaming. One that nobody has is left for the start to complain
 * about, as with Docker.
 */
export function withContainerIds(
  registry: Pick<ContainerRegistry, 'tryResolve'>,
  hostConfig: HostConfig,
): HostConfig {
  const { NetworkMode, PidMode, IpcMode } = hostConfig;
  const withId = (mode: string) => {
    const ref = containerReference(mode);
    const found = ref === undefined ? undefined : registry.tryResolve(ref);
    return found === undefined ? mode : `container:${found.id}`;
  };
  return {
    ...hostConfig,
    ...(NetworkMode ? { NetworkMode: withId(NetworkMode) } : {}),
    ...(PidMode ? { PidMode: withId(PidMode) } : {}),
    ...(IpcMode ? { IpcMode: withId(IpcMode) } : {}),
  };
}

/** Why a container's namespace cannot be joined. */
export interface Unjoinable {
  readonly ref: string;
  readonly state: 'missing' | 'restarting' | 'stopped';
}

/** Docker's texts. */
export function cannotJoin(kind: 'PID' | 'IPC', { ref, state }: Unjoinable): EngineError {
  const reason = {
    missing: `No such container: ${ref}`,
    restarting: `Container ${ref} is restarting, wait until the container is running`,
    stopped: `container ${ref} is not running`,
  }[state];
  return new EngineError('internal', `failed to join ${kind} namespace: ${reason}`);
}

/** The other container keeps its IPC namespace to itself. Docker's text. */
export const notShareable = (ref: string) =>
  new EngineError(
    'invalid-argument',
    `failed to join IPC namespace: container ${ref}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
  );

/** The container whose network is to be shared does not run (`state` as inspect tells it). Docker's text. */
export const networkOfStopped = (name: string, state: string) =>
  new EngineError(
    'conflict',
    `cannot join network namespace of a non running container: container ${name} is ${state}`,
  );

/** The container whose network is to be shared does not exist. Docker's text. */
export const networkOfMissing = (ref: string) =>
  new EngineError('not-found', `joining network namespace of container: No such container: ${ref}`);

/** A container cannot share what it does not have yet. Docker's text. */
export const networkOfItself = () =>
  new EngineError('internal', 'cannot join own network namespace');
