/** Errors of reading and writing files of containers, with the texts that Docker's clients know. */
import { EngineError, findEngineError } from '../../shared/errors.ts';

/** A path that the container does not have. */
export const noSuchFile = (path: string, container: string, cause?: unknown) =>
  new EngineError('not-found', `Could not find the file ${path} in container ${container}`, {
    cause,
  });

/** Something among the directories of a path is none. */
export const notADirectory = (path: string, cause?: unknown) =>
  new EngineError('invalid-argument', `${path}: not a directory`, { cause });

/** An archive is to be unpacked into something else than a directory. */
export const extractionPointIsNoDirectory = () =>
  new EngineError('invalid-argument', 'extraction point is not a directory');

export const rootIsReadOnly = () =>
  new EngineError('forbidden', 'container rootfs is marked read-only');

export const volumeIsReadOnly = () =>
  new EngineError('forbidden', 'mounted volume is marked read-only');

/** A user of `copyUIDGID` whose name the container's account files do not have. */
export const unknownAccount = (name: string) =>
  new EngineError('invalid-argument', `unable to find user ${name}: no matching entries`);

/** Says of a failed look-up what Docker says of it. */
export function pathError(error: unknown, path: string, container: string): unknown {
  const code = findEngineError(error)?.details['code'];
  if (code === 'ENOENT') return noSuchFile(path, container, error);
  return code === 'ENOTDIR' ? notADirectory(path, error) : error;
}
