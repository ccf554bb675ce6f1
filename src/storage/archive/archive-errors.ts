/** Errors of reading and writing files of containers, with the texts of Docker where it has them. */
import { EngineError, messageOf } from '../../shared/errors.ts';
import { errnoCode } from '../../sys/system-errors.ts';

/** An archive entry whose name leads out of the directory that it is unpacked into. */
export const entryOutside = (name: string, dir: string) =>
  new EngineError('invalid-argument', `"${name}" is outside of "${dir}"`);

/** A hard link of an archive whose target is outside of the directory that it is unpacked into. */
export const invalidHardLink = (name: string, target: string) =>
  new EngineError('invalid-argument', `invalid hardlink "${name}" -> "${target}"`);

export const directoryInTheWay = (path: string, dir: string) =>
  new EngineError(
    'invalid-argument',
    `cannot overwrite directory "${path}" with non-directory "${dir}"`,
  );

export const fileInTheWay = (path: string, dir: string) =>
  new EngineError(
    'invalid-argument',
    `cannot overwrite non-directory "${path}" with directory "${dir}"`,
  );

/** A body that is damaged or no archive. */
export const damagedArchive = (cause: unknown) =>
  new EngineError('invalid-argument', `cannot read the archive: ${messageOf(cause)}`, { cause });

/** A file that could not be made, with the reason of the kernel. */
export function cannotWrite(path: string, error: unknown): EngineError {
  if (error instanceof EngineError && error.details['code'] === undefined) return error;
  const code = errnoCode(error);
  const details = code === undefined ? {} : { code };
  if (code === 'EROFS') {
    return new EngineError('forbidden', 'mounted volume is marked read-only', {
      cause: error,
      details,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new EngineError('unavailable', `write ${path}: no space left on device`, {
      cause: error,
      details,
    });
  }
  const kind = code === 'EINVAL' ? 'invalid-argument' : 'internal';
  return new EngineError(kind, `${path}: ${messageOf(error)}`, { cause: error, details });
}
