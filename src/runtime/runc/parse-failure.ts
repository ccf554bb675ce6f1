/** runc's messages: already Docker's words, so only the exit code is read from them (checked with 1.1 and 1.2). */
import type { RuntimeFailure } from '../runtime-errors.ts';

const IS_RUNC = /unable to start container process: |runc (?:create|run) failed: |^exec failed: /;
const NOT_FOUND =
  /exec: "[^"]*": (?:executable file not found in \$PATH|stat [^:]*: no such file or directory)/;
const NOT_EXECUTABLE = /exec: "[^"]*": (?:permission denied|is a directory)/;
const WRONG_KIND = /error mounting .*: not a directory/;
const QUESTION =
  ': Are you trying to mount a directory onto a file (or vice-versa)? ' +
  'Check if the specified host path exists and is the expected type';

/** The failure that runc's message tells of; undefined when it does not look like one of runc's. */
export function parseRuncFailure(message: string): RuntimeFailure | undefined {
  if (!IS_RUNC.test(message)) return undefined;
  if (NOT_FOUND.test(message)) return { text: message, exitCode: 127 };
  if (NOT_EXECUTABLE.test(message)) return { text: message, exitCode: 126 };
  if (WRONG_KIND.test(message)) {
    const asked = message.includes('Are you trying to mount');
    return { text: asked ? message : `${message}${QUESTION}`, exitCode: 126 };
  }
  return { text: message, exitCode: 128 };
}
