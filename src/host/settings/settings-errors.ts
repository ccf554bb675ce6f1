/** What can be wrong with flags, environment and `daemon.json`. */
import { EngineError } from '../../shared/errors.ts';

/** The configuration file is not what it should be. */
export function badConfigFile(path: string, detail: string, cause?: unknown): EngineError {
  return new EngineError(
    'invalid-argument',
    `unable to configure the daemon with file ${path}: ${detail}`,
    {
      cause,
    },
  );
}

/** A key or flag that nobody knows, with the closest known one. */
export function unknownSetting(what: string, nearest: string | undefined): EngineError {
  const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  return new EngineError('invalid-argument', `unknown ${what}${hint}`);
}

/** A setting of dockerd that this daemon does not act on; accepting it would be a lie. */
export function unsupportedSetting(what: string, why: string): EngineError {
  return new EngineError('invalid-argument', `${what} is not supported: ${why}`);
}

/** A value of the wrong type or out of range. */
export function badSetting(what: string, detail: string): EngineError {
  return new EngineError('invalid-argument', `invalid value for ${what}: ${detail}`);
}

/** The same setting by flag and in the file: dockerd refuses this rather than choosing. */
export function conflictingSettings(details: readonly string[]): EngineError {
  return new EngineError(
    'invalid-argument',
    `the following directives are specified both as a flag and in the configuration file: ${details.join(', ')}`,
  );
}
