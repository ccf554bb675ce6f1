/** The key sequence that lets go of an attached terminal: `ctrl-p,ctrl-q` unless the client names another. */
import { invalidDetachKeys } from './wire-errors.ts';

/** `ctrl-p,ctrl-q`. */
export const DEFAULT_DETACH_KEYS: Uint8Array = Uint8Array.of(16, 17);

const CONTROL = /^ctrl-([a-z@[\\\]^_])$/;

/**
 * The bytes of a comma-separated sequence of single characters and `ctrl-<a-z@[\]^_>`; the default for
 * undefined and the empty text. `invalid-argument` for anything else.
 */
export function parseDetachKeys(text: string | undefined): Uint8Array {
  if (text === undefined || text === '') return DEFAULT_DETACH_KEYS;
  return Uint8Array.from(text.split(','), (key) => {
    const control = CONTROL.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
    const code = key.charCodeAt(0);
    if (key.length !== 1 || code > 127) throw invalidDetachKeys(text);
    return code;
  });
}
