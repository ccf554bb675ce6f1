/** Errors of the conversation between host and engine. */
import { EngineError, type ErrorKind } from '../shared/errors.ts';

/** The other side sent something that is no message of this protocol. */
export function badMessage(detail: string): EngineError {
  return new EngineError('corrupt', `handshake: ${detail}`);
}

/** The other side closed the connection before it sent what was waited for. */
export function channelClosed(awaited: string): EngineError {
  return new EngineError(
    'unavailable',
    `handshake: connection closed while waiting for ${awaited}`,
  );
}

/** The other side did not send what was waited for in time. */
export function handshakeDeadline(awaited: string, timeoutMs: number): EngineError {
  return new EngineError('deadline', `handshake: no ${awaited} within ${timeoutMs} ms`);
}

/** A request was refused by the host; kind, text and code are the host's. */
export function refusedByHost(refusal: {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly code?: string | undefined;
}): EngineError {
  return new EngineError(
    refusal.kind,
    refusal.message,
    refusal.code === undefined ? {} : { details: { code: refusal.code } },
  );
}

/** The host granted a request for a descriptor, but none came. */
export function lostDescriptor(op: string): EngineError {
  return new EngineError('internal', `the host granted ${op} but sent no descriptor`);
}
