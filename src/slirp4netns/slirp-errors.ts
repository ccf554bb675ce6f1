/** What can go wrong with slirp4netns, decided here from its replies and exits. */
import { EngineError } from '../shared/errors.ts';

/** The options make no sense together or are malformed. */
export function invalidSlirpOption(message: string): EngineError {
  return new EngineError('invalid-argument', `slirp4netns: ${message}`);
}

/** The installed slirp4netns lacks an option that was asked for. */
export function slirpTooOld(option: string, needed: string): EngineError {
  return new EngineError(
    'unavailable',
    `slirp4netns does not know ${option}: version ${needed} or newer is needed`,
  );
}

/** The helper ended before it said that the network is up. */
export function slirpStartFailed(reason: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', `slirp4netns did not start: ${reason}`, { cause });
}

/** The control socket is gone or does not answer: the helper has ended. */
export function slirpUnreachable(path: string, cause: unknown): EngineError {
  return new EngineError('unavailable', `slirp4netns does not answer on ${path}`, { cause });
}

/** The helper refused a host forward because the port is taken. */
export function slirpPortTaken(description: string): EngineError {
  return new EngineError('conflict', description, { details: { code: 'EADDRINUSE' } });
}

/** The helper answered with an error or with something that is no answer. */
export function slirpRefused(description: string, cause?: unknown): EngineError {
  return new EngineError('internal', `slirp4netns: ${description}`, { cause });
}
