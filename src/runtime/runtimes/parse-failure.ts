/** From whatever a runtime printed to one failure, whichever runtime it was. */
import { type AttemptedStart, parseCrunFailure } from '../crun/parse-failure.ts';
import { parseRuncFailure } from '../runc/parse-failure.ts';
import type { RuntimeFailure } from '../runtime-errors.ts';
import { failureExitCode } from './failure-exit-code.ts';

/** Tries the known runtimes' forms; a message of neither is passed on as it is. */
export function parseRuntimeFailure(output: string, attempt: AttemptedStart): RuntimeFailure {
  const message = plainMessage(output);
  const known = parseRuncFailure(message) ?? parseCrunFailure(message, attempt);
  if (known !== undefined) return known;
  const text = `${attempt.operation} failed: ${message}`;
  return { text, exitCode: failureExitCode(text) };
}

/** The last error of a runtime's log, in JSON or in `key="value"` form, or the plain text that it is instead. */
export function plainMessage(output: string): string {
  const messages = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => jsonMessage(line) ?? keyedMessage(line) ?? { text: line, isError: true });
  const chosen = messages.findLast(({ isError }) => isError) ?? messages.at(-1);
  return chosen?.text ?? 'the runtime gave no reason';
}

function jsonMessage(line: string): { text: string; isError: boolean } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null) return undefined;
    const text: unknown = Reflect.get(entry, 'msg');
    const level: unknown = Reflect.get(entry, 'level');
    return typeof text === 'string'
      ? { text, isError: level === 'error' || level === 'fatal' }
      : undefined;
  } catch {
    return undefined;
  }
}

/** `time="…" level=error msg="…"`, with the quoting of Go, which for messages is that of JSON. */
function keyedMessage(line: string): { text: string; isError: boolean } | undefined {
  const quoted = /^time=.* msg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  if (quoted === undefined) return undefined;
  const isError = /\blevel=(?:error|fatal)\b/.test(line);
  try {
    return { text: String(JSON.parse(quoted)), isError };
  } catch {
    return { text: quoted.slice(1, -1), isError };
  }
}
