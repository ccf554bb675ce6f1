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

export const invalidVolumeOption = (name: string, option: string) =>
  new EngineError(
    'invalid-argument',
    `create ${name}: invalid option: "${option}": only plain directories are supported`,
  );
