/** What can be wrong with a command line. */
import { EngineError } from '../shared/errors.ts';

/** The command line cannot be understood. */
export function badUsage(message: string): EngineError {
  return new EngineError('invalid-argument', message);
}
