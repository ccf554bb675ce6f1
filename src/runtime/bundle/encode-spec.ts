/** Runtime configuration as JSON. */
import { randomBytes } from 'node:crypto';
import type { ExecProcess, RuntimeSpec } from '../../oci/runtime-spec.ts';

/** RLIM_INFINITY, for which a JavaScript number has not enough digits. */
export const UNLIMITED = 2 ** 64 - 1;
const UNLIMITED_DIGITS = '18446744073709551615';

/** The JSON text, with unlimited resource limits in all their digits: runtimes refuse the rounded number. */
export function encodeSpec(spec: RuntimeSpec | ExecProcess): string {
  // A word that cannot occur in the configuration stands for the number until the text is there.
  const placeholder = randomBytes(16).toString('hex');
  const text = JSON.stringify(spec, (_key, value: unknown) =>
    value === UNLIMITED ? placeholder : value,
  );
  return text.replaceAll(`"${placeholder}"`, UNLIMITED_DIGITS);
}
