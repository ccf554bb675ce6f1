/** Errors of what build clients serve. */
import { EngineError } from '../../../shared/errors.ts';

/** The build names a session that never came or is gone. */
export const noSession = (id: string) =>
  new EngineError('unavailable', `no active session for ${id}: context deadline exceeded`);

/** The client offers no such service. */
export const sessionLacks = (path: string) =>
  new EngineError('not-implemented', `method ${path} not supported by the client`);
