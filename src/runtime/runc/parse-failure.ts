/** runc's messages: already Docker's words (checked with 1.1). The only place that matches strings of runc. */
import type { RuntimeFailure } from '../runtime-errors.ts';
import { failureExitCode } from '../runtimes/failure-exit-code.ts';

const IS_RUNC = /unable to start container process: |runc (?:create|run) failed: |^exec failed: /;
const WRONG_KIND = /error mounting .*: not a directory/;
const QUESTION =
  ': Are you trying to mount a directory onto a file (or vice-versa)? ' +
  'Check if the specified host path exists and is the expected type';

/** The failure that runc's message tells of; undefined when it does not look like one of runc's. */
export function parseRuncFailure(message: string): RuntimeFailure | undefined {
  if (!IS_RUNC.test(message)) return undefined;
  const asksAlready = message.includes('Are you trying to mount');
  const text = WRONG_KIND.test(message) && !asksAlready ? `${message}${QUESTION}` : message;
  return { text, exitCode: failureExitCode(text) };
}
