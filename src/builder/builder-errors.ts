/** Errors of carrying builds out, with BuildKit's texts. */
import { EngineError } from '../shared/errors.ts';

/** A file that an instruction names is not in its tree; `path` without leading slash. */
export const sourceNotFound = (tree: string, path: string, cause?: unknown) =>
  new EngineError(
    'not-found',
    `failed to compute cache key: failed to calculate checksum of ref ${tree}: "/${path}": not found`,
    { cause },
  );

export const invalidPathPattern = (pattern: string) =>
  new EngineError('invalid-argument', `syntax error in pattern: ${pattern}`);

/** The command of a RUN failed: doors find its exit code and its words in the details. */
export const commandFailed = (args: readonly string[], exitCode: number) =>
  new EngineError(
    'internal',
    `process "${args.join(' ')}" did not complete successfully: exit code: ${exitCode}`,
    { details: { exitCode: String(exitCode), command: args.join(' ') } },
  );

export const secretMissing = (id: string) =>
  new EngineError('not-found', `secret ${id}: not found`);

export const sshAgentMissing = (id: string) =>
  new EngineError('not-found', `unset ssh forward key ${id}`);

export const notEntitled = (entitlement: string) =>
  new EngineError(
    'forbidden',
    `granting entitlement ${entitlement} is not allowed by build daemon configuration`,
  );

export const foreignChecksum = (wanted: string, found: string) =>
  new EngineError('invalid-argument', `digest mismatch ${found}: ${wanted}`);

export const invalidChecksum = (text: string) =>
  new EngineError('invalid-argument', `invalid checksum digest format: ${text}`);

export const gitFailed = (url: string, output: string) =>
  new EngineError('unavailable', `failed to fetch remote ${url}: ${output.trim()}`);

export const foreignCommit = (wanted: string, found: string) =>
  new EngineError('invalid-argument', `expected checksum to match ${wanted}, got ${found}`);

export const noSuchSubdir = (subdir: string, cause: unknown) =>
  new EngineError('not-found', `subdir ${subdir} does not exist in the git repository`, { cause });

export const remoteSourceWithFrom = () =>
  new EngineError('invalid-argument', "source can't be a URL for COPY");

export const invalidContext = (problem: string, cause?: unknown) =>
  new EngineError('invalid-argument', problem, { cause });
