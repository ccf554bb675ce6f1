/** Errors of `HostConfig`: what a container cannot be given. */
import { EngineError } from '../../shared/errors.ts';

/** A setting that is refused, with Docker's text where it has one. */
export const invalidHostConfig = (message: string) => new EngineError('invalid-argument', message);

/** A log driver or an option of one that does not exist here. */
export const invalidLogConfig = (message: string, cause?: unknown) =>
  new EngineError('invalid-argument', message, { cause });

/** The container was told to keep no log. Docker's text. */
export const logNotReadable = () =>
  new EngineError('not-implemented', 'configured logging driver does not support reading');
