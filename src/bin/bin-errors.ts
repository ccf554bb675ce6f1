/** What can go wrong while a program is put together. */
import { EngineError } from '../shared/errors.ts';

/** Two engines on the same data would destroy it. */
export function dataInUse(dataRoot: string): EngineError {
  return new EngineError(
    'conflict',
    `another engine uses the data directory ${dataRoot}: stop it, or give this one another --data-root`,
  );
}
