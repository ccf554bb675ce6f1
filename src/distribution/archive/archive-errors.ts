/** Problems with image archives. */
import { EngineError, messageOf, systemCode } from '../../shared/errors.ts';

const NO_SPACE =
  'no space left on device: free some disk space (docker system prune) or move the data directory';

/** The stream is no archive of images, or a damaged one. */
export function invalidArchive(problem: string, cause?: unknown): EngineError {
  return new EngineError(
    'invalid-argument',
    `invalid archive: ${problem}`,
    cause === undefined ? {} : { cause },
  );
}

/** A layer that is packed in a way that layers may not be. */
export function unsupportedLayerCompression(name: string): EngineError {
  return new EngineError('not-implemented', `layers compressed with ${name} are not supported`);
}

/** The client left while the archive was read. */
export function loadCancelled(cause: unknown): EngineError {
  return new EngineError('cancelled', 'context canceled', { cause });
}

/** The archive is given up before it takes the last of the disk. */
export function archiveFillsDisk(freeBytes: number): EngineError {
  const megabytes = Math.floor(freeBytes / 1_000_000);
  return new EngineError(
    'unavailable',
    `read archive: it would fill the disk, ${megabytes} MB are left: ${NO_SPACE}`,
  );
}

/** The archive could not be kept while it is read. */
export function spoolFailed(error: unknown): EngineError {
  const full = systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT';
  return full
    ? new EngineError('unavailable', `read archive: ${NO_SPACE}`, { cause: error })
    : new EngineError('internal', `read archive: ${messageOf(error)}`, { cause: error });
}
