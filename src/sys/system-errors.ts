/** Errors of failed system calls, from our own bindings and from node's `fs`. */
import { getSystemErrorMap, getSystemErrorName } from 'node:util';
import { EngineError, type ErrorKind, messageOf, systemCode } from '../shared/errors.ts';

/** A system call that failed. */
export interface SystemFailure {
  /** Name of the call, e.g. `mount`. */
  readonly call: string;
  /** Positive errno. */
  readonly errno: number;
  /** What it was about: a path, an address. */
  readonly subject?: string;
}

/** The machine lacks room or a facility: worth a retry after a repair, so not `internal`. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSYS',
]);

/** What helps, where the user can do something. */
const CURES: Readonly<Record<string, string>> = {
  ENOSPC: 'free some disk space and try again',
  EDQUOT: 'the disk quota is used up: free some space and try again',
  EROFS: 'the file system is read-only: remount it for writing or choose another --data-root',
  EMFILE: 'raise the limit of open files (ulimit -n)',
};

/**
 * The error for a failed system call. `details.code` has the errno's name (`ENOENT`), which is what callers
 * branch on; the kind is `internal`, or `unavailable` when the machine lacks room or the facility, because only
 * the caller knows what a missing file means to its client.
 */
export function systemError(failure: SystemFailure): EngineError {
  const code = errnoName(failure.errno);
  const subject = failure.subject === undefined ? '' : ` ${failure.subject}`;
  return new EngineError(
    kindOfCode(code),
    withCure(`${failure.call}${subject}: ${errnoText(failure.errno)}`, code),
    {
      details: { code, call: failure.call },
    },
  );
}

/** Turns an error of node's own `fs` or `net` into ours: same kinds and `details.code` as `systemError`. */
export function fromNodeError(error: unknown, context: string): EngineError {
  const code = errnoCode(error);
  return new EngineError(
    code === undefined ? 'internal' : kindOfCode(code),
    withCure(`${context}: ${messageOf(error)}`, code),
    { cause: error, ...(code === undefined ? {} : { details: { code } }) },
  );
}

/** The errno name of an error of ours or of node's, e.g. `ENOENT`; undefined when it carries none. */
export function errnoCode(error: unknown): string | undefined {
  if (error instanceof EngineError) return error.details['code'];
  return systemCode(error);
}

/** True when `error` says that a file, process or attribute is not there. */
export function isMissing(error: unknown): boolean {
  const code = errnoCode(error);
  return code === 'ENOENT' || code === 'ESRCH' || code === 'ENODATA';
}

/** The facility cannot be used on this machine; `what` names it and says why. */
export function facilityUnavailable(what: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', what, cause === undefined ? {} : { cause });
}

/** An argument that no system call should see, e.g. a string with a NUL in it. */
export function invalidSystemArgument(message: string): EngineError {
  return new EngineError('invalid-argument', message, { details: { code: 'EINVAL' } });
}

/** A unix socket path that does not fit into the kernel's address structure. */
export function socketPathTooLong(path: string, length: number, most: number): EngineError {
  return new EngineError(
    'invalid-argument',
    `the socket path ${path} has ${length} bytes, more than the ${most} the kernel takes: ` +
      'choose a shorter runtime directory with --exec-root',
  );
}

function kindOfCode(code: string): ErrorKind {
  return UNAVAILABLE.has(code) ? 'unavailable' : 'internal';
}

function withCure(message: string, code: string | undefined): string {
  const cure = code === undefined ? undefined : CURES[code];
  return cure === undefined ? message : `${message} (${cure})`;
}

function errnoName(errno: number): string {
  return getSystemErrorMap().has(-errno) ? getSystemErrorName(-errno) : `E${errno}`;
}

function errnoText(errno: number): string {
  return getSystemErrorMap().get(-errno)?.[1] ?? `errno ${errno}`;
}
