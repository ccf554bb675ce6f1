/** Errors of a build's options, and of what the client was to send. */
import { EngineError } from '../../../shared/errors.ts';

export const badOption = (name: string, value: string, cause?: unknown) =>
  new EngineError('invalid-argument', `invalid value for ${name}: ${value}`, { cause });

export const unknownPlatform = (text: string) =>
  new EngineError('invalid-argument', `failed to parse target platform ${text}`);

/** BuildKit's text for a Dockerfile that is not there. */
export const noDockerfile = (name: string) =>
  new EngineError(
    'not-found',
    `failed to read dockerfile: open ${name}: no such file or directory`,
  );

/** A named context of a kind that is not there yet. */
export const unsupportedContext = (name: string, value: string) =>
  new EngineError('not-implemented', `context ${name}=${value} is not supported by this builder`);

export const unsupportedRequest = (name: string) =>
  new EngineError('not-implemented', `unsupported request ${name}`);

/** Attestations that cannot be made here. */
export const noSbom = () =>
  new EngineError(
    'not-implemented',
    'SBOM attestations are not supported by this builder: it runs no scanner images; build without --sbom',
  );

/** A result of another build that is gone. */
export const noInput = (name: string) =>
  new EngineError('not-found', `no such frontend input: ${name}`);

/** BuildKit's text for a stage that is not in the Dockerfile. */
export const noTarget = (name: string) =>
  new EngineError('invalid-argument', `target stage "${name}" could not be found`);
