/** The exit code that Docker derives from a runtime's message. */
import type { RuntimeFailure } from '../runtime-errors.ts';

const NOT_FOUND = /executable file not found in \$PATH|no such file or directory/i;
const NOT_PERMITTED = /permission denied|is a directory|not a directory/i;

/** 127 when something named is missing, 126 when it cannot be used, 128 for everything else. */
export function failureExitCode(text: string): RuntimeFailure['exitCode'] {
  if (NOT_FOUND.test(text)) return 127;
  return NOT_PERMITTED.test(text) ? 126 : 128;
}
