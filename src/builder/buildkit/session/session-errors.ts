/** Errors of what build clients serve. */
import { EngineError } from '../../../shared/errors.ts';

/** The build names a session that never came or is gone. */
export const noSession = (id: string) =>
  new EngineError('unavailable', `no active session for ${id}: context deadline exceeded`);

/** The client offers no such service. */
export const sessionLacks = (path: string) =>
  new EngineError('not-implemented', `method ${path} not supported by the client`);

/** The client could not read what it was to send. */
export const senderFailed = (problem: string) =>
  new EngineError('invalid-argument', `error from sender: ${problem}`);

/** A path with tricks, or one whose directory was not announced. */
export const badEntry = (path: string) =>
  new EngineError('invalid-argument', `invalid path in the transfer: ${JSON.stringify(path)}`);

export const unexpectedData = (id: number) =>
  new EngineError('invalid-argument', `invalid file request ${id}`);

/** The client could not write what it was sent. */
export const receiverFailed = (problem: string) =>
  new EngineError('invalid-argument', `error from receiver: ${problem}`);

/** What the client sent is not what its name says. */
export const corruptBlob = (digest: string) =>
  new EngineError('corrupt', `the client's blob ${digest} does not match its digest`);

/** A session of a client that does not say its name. */
export const noSessionId = () => new EngineError('invalid-argument', 'session ID is empty');
