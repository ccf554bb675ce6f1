/** Errors of stored documents. */
import { EngineError } from '../shared/errors.ts';

/** A document of that key exists already. */
export function documentExists(path: string): EngineError {
  return new EngineError('conflict', `${path} exists already`);
}

/** The document was removed; it takes no more updates. */
export function documentRemoved(path: string): EngineError {
  return new EngineError('not-found', `${path} was removed`);
}

/** A key that cannot name a file. */
export function invalidKey(key: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `${JSON.stringify(key)} cannot name a stored document`,
  );
}

/** The bytes of a document are not what this program writes. */
export function undecodable(path: string, reason: string, cause?: unknown): EngineError {
  return new EngineError('corrupt', `${path}: ${reason}`, cause === undefined ? {} : { cause });
}

/** A document of a later version of the program: nothing was touched. */
export function newerDocument(path: string, found: number, known: number): EngineError {
  return new EngineError(
    'unavailable',
    `${path} was written by a newer wherry (document version ${found}, this one knows up to ${known}); ` +
      'use that version, or another data directory',
    { details: { foundVersion: String(found), knownVersion: String(known) } },
  );
}
