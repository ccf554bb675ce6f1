/** Requests of commands to the engine's API. */
import { type IncomingMessage, request } from 'node:http';
import { errnoCode } from '../../sys/system-errors.ts';
import { engineSilent } from '../host-errors.ts';

/** The answer; undefined when no daemon listens at `socketPath`. `unavailable` when it listens and does not answer. */
export function askEngine(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<IncomingMessage | undefined> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath, path, method }, resolve);
    asking.once('error', (error) => {
      if (['ENOENT', 'ECONNREFUSED'].includes(errnoCode(error) ?? '')) resolve(undefined);
      else reject(engineSilent(error.message, error));
    });
    asking.end();
  });
}
