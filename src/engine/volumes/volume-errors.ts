/** Errors of volumes, with Docker's texts. */
import { EngineError } from '../../shared/errors.ts';

export const noSuchVolume = (name: string) =>
  new EngineError('not-found', `get ${name}: no such volume`);

export const volumeInUse = (name: string, containerIds: readonly string[]) =>
  new EngineError('conflict', `remove ${name}: volume is in use - [${containerIds.join(', ')}]`);

export const invalidVolumeName = (name: string) =>
  new EngineError(
    'invalid-argument',
    `create ${name}: "${name}" includes invalid characters for a local volume name, ` +
      'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ' +
      'If you intended to pass a host directory, use absolute path',
  );

export const unknownVolumeDriver = (name: string, driver: string) =>
  new EngineError(
    'not-found',
    `create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
  );

/** An option that the driver does not have. Docker's text. */
export const invalidVolumeOption = (name: string, option: string) =>
  new EngineError('invalid-argument', `create ${name}: invalid option: "${option}"`);

/** An option that needs another one. Docker's text. */
export const missingVolumeOption = (name: string, option: string) =>
  new EngineError('invalid-argument', `create ${name}: missing required option: "${option}"`);

/** `size` as an option of the volume itself. Docker's text where the file system has no project quotas. */
export const noVolumeQuota = (name: string) =>
  new EngineError('invalid-argument', `create ${name}: quota size requested but no quota support`);

/** A file system that only root of the machine may mount. */
export const unsupportedVolumeType = (name: string, type: string) =>
  new EngineError(
    'invalid-argument',
    `create ${name}: cannot mount volumes of type "${type}": the kernel lets only the root of the machine mount it. ` +
      'Use type=tmpfs, or mount it outside and bind it with type=none,o=bind,device=/its/path',
  );

/** A mount option that has no meaning for a bind. */
export const unsupportedBindOption = (name: string, option: string) =>
  new EngineError(
    'invalid-argument',
    `create ${name}: a bind does not take the mount option "${option}": use bind, rbind, ro or rw`,
  );

/** The device of a bind must be a path. */
export const relativeBindDevice = (name: string, device: string) =>
  new EngineError(
    'invalid-argument',
    `create ${name}: the device of a bind must be an absolute path, "${device}" is none`,
  );
