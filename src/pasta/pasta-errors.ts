/** What can go wrong with pasta, decided here from its replies and exits. */
import { EngineError } from '../shared/errors.ts';

/** The options make no sense together or are malformed. */
export function invalidPastaOption(message: string): EngineError {
  return new EngineError('invalid-argument', `pasta: ${message}`);
}

/** The installed pasta lacks an option that its protection or configuration rests on. */
export function pastaTooOld(option: string): EngineError {
  return new EngineError('unavailable', `pasta does not know ${option}: a newer one is needed`);
}

/** The helper ended before the interface inside was configured. */
export function pastaStartFailed(reason: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', `pasta did not start: ${reason}`, { cause });
}

/** The program that was found is no pasta. */
export function notPasta(detail: string): EngineError {
  return new EngineError('unavailable', `pasta: ${detail}`);
}
