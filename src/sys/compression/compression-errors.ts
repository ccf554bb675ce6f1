/** Compressed streams that cannot be read. */
import { EngineError } from '../../shared/errors.ts';

/** The bytes are not what the compression writes. */
export const damagedStream = (format: string, problem: string, cause?: unknown) =>
  new EngineError('corrupt', `${format}: ${problem}`, cause === undefined ? {} : { cause });

/** The stream is cut short. */
export const truncatedStream = () => new EngineError('corrupt', 'unexpected EOF');
