/** Modes that name another container whose namespace is shared: `container:NAME`. */
import { EngineError } from '../../shared/errors.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { ContainerRegistry } from './container-registry.ts';

/** Name or id of the container that a mode names; undefined for every other mode. */
export function containerReference(mode: string | undefined): string | undefined {
  return /^container:(.+)$/.exec(mode ?? '')?.[1];
}

/**
 * Puts ids for names, so that the bond outlives a renaming. `invalid-argument` when nobody has it; whose network it
 * would be is left for the start to complain about. Both as with Docker.
 */
export function withContainerIds(
  registry: Pick<ContainerRegistry, 'tryResolve'>,
  hostConfig: HostConfig,
): HostConfig {
  const { NetworkMode, PidMode, IpcMode } = hostConfig;
  const find = (mode: string, ref = containerReference(mode)) =>
    ref === undefined ? undefined : { ref, container: registry.tryResolve(ref) };
  const withId = (mode: string) => {
    const id = find(mode)?.container?.id;
    return id === undefined ? mode : `container:${id}`;
  };
  for (const mode of [PidMode, IpcMode]) {
    const found = find(mode ?? '');
    if (found !== undefined && found.container === undefined) throw donorMissing(found.ref);
  }
  return {
    ...hostConfig,
    ...(NetworkMode ? { NetworkMode: withId(NetworkMode) } : {}),
    ...(PidMode ? { PidMode: withId(PidMode) } : {}),
    ...(IpcMode ? { IpcMode: withId(IpcMode) } : {}),
  };
}

const donorMissing = (ref: string) =>
  new EngineError('invalid-argument', `No such container: ${ref}`);

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
