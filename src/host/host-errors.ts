/** What can go wrong on the host's side. Every message names the cure where there is one. */
import { EngineError } from '../shared/errors.ts';

/** Another daemon of this user already uses the runtime directory. */
export function alreadyRunning(execRoot: string, pid: number | undefined): EngineError {
  const who = pid === undefined ? '' : ` (pid ${pid})`;
  return new EngineError(
    'conflict',
    `a daemon is already running in ${execRoot}${who}; stop it with "wherry down"`,
  );
}

/** The kernel or its policy refuses the namespaces. */
export function namespacesRefused(detail: string): EngineError {
  return new EngineError(
    'unavailable',
    `cannot make a user namespace: ${detail}; run "wherry doctor" for the cure`,
  );
}

/** The id map could not be written. */
export function idMapRefused(detail: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', `cannot map ids into the user namespace: ${detail}`, {
    cause,
  });
}

/** Subordinate ids were asked for and there are none. */
export function noSubordinateIds(why: string): EngineError {
  return new EngineError('unavailable', `--userns-mode=subid: ${why}`);
}

/** An API address of `-H` that cannot be understood. */
export function badApiAddress(address: string, detail: string): EngineError {
  return new EngineError('invalid-argument', `invalid API address "${address}": ${detail}`);
}

/** An API address that somebody else listens on. */
export function apiAddressInUse(address: string): EngineError {
  return new EngineError('conflict', `cannot listen on ${address}: another process listens there`);
}

/** A published port that the host cannot bind. `code` is the system's: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export function cannotListen(what: string, code: string, cause: unknown): EngineError {
  const texts: Readonly<Record<string, string>> = {
    EADDRINUSE: 'address already in use',
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'cannot assign requested address',
  };
  return new EngineError('conflict', `listen ${what}: ${texts[code] ?? code}`, {
    cause,
    details: { code },
  });
}

/** No listener has this id (any more). */
export function noSuchListener(listenerId: string): EngineError {
  return new EngineError('not-found', `the host holds no listener ${listenerId}`);
}

/** The connection that should carry a descriptor never came. */
export function noSuchHandleConnection(): EngineError {
  return new EngineError('internal', 'no connection with this token on the handle socket');
}

/** A connection to the outside failed. `code` is the system's. */
export function cannotConnect(
  target: string,
  code: string | undefined,
  cause: unknown,
): EngineError {
  return new EngineError('unavailable', `dial tcp ${target}: ${code ?? 'failed'}`, {
    cause,
    ...(code === undefined ? {} : { details: { code } }),
  });
}

/** The engine ended before it was ever ready: its own log says why. */
export function engineDidNotStart(how: string): EngineError {
  return new EngineError('unavailable', `the engine ended before it was ready (${how})`);
}

/** The process that holds the namespaces has gone, and the containers' network with it. */
export function anchorLost(): EngineError {
  return new EngineError('unavailable', 'the process that holds the namespaces has ended');
}

/** The record of a running machine does not decode. */
export function badMachineRecord(path: string, detail: string): EngineError {
  return new EngineError('corrupt', `${path}: ${detail}`);
}

/** The host process did not answer an operator's question. */
export function hostSilent(detail: string): EngineError {
  return new EngineError('unavailable', `the daemon does not answer: ${detail}`);
}

/** The daemon that `up` started ended or stayed silent. */
export function daemonDidNotStart(detail: string): EngineError {
  return new EngineError('unavailable', `the daemon did not start: ${detail}`);
}

/** A process of ours did not end although it was killed. */
export function cannotEnd(what: string): EngineError {
  return new EngineError('internal', `${what} did not end`);
}

/** A file of the docker client's configuration is not JSON of the expected form; it is left as it is. */
export function brokenDockerConfig(path: string, cause?: unknown): EngineError {
  return new EngineError('invalid-argument', `${path} cannot be read as docker configuration`, {
    cause,
  });
}

/** What was asked needs an engine that runs. */
export function daemonNeeded(): EngineError {
  return new EngineError('unavailable', 'the daemon does not run: start it with wherry up');
}

/** The engine listens and does not answer. */
export function engineSilent(detail: string, cause: unknown): EngineError {
  return new EngineError('unavailable', `the daemon does not answer: ${detail}`, { cause });
}

/** The daemon's API answers with something else than was asked for. */
export function unexpectedAnswer(path: string, detail: string): EngineError {
  return new EngineError('unavailable', `the daemon did not answer GET ${path}: ${detail}`);
}

/** A check of the storage that came to no end. */
export function checkFailed(detail: string): EngineError {
  return new EngineError('unavailable', `the storage could not be checked: ${detail}`);
}

/** The computer around the virtual machine does not answer. */
export function outerHostAway(cause: unknown): EngineError {
  return new EngineError(
    'unavailable',
    'the computer that this virtual machine runs on does not answer',
    { cause },
  );
}
