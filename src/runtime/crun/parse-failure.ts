/** crun's messages in Docker's words. The only place that matches strings of crun (checked with 1.8). */
import type { RuntimeFailure } from '../runtime-errors.ts';

/** What the runtime was to start. */
export interface AttemptedStart {
  readonly operation: 'create' | 'exec';
  /** First argument of the process. */
  readonly program: string;
}

const NOT_FOUND = /executable file `?([^`]*?)`? not found(?: in \$PATH)?/;
const NOT_EXECUTABLE =
  /(?:open executable|exec|execve)[^:]*: (Permission denied|Operation not permitted|Is a directory)/i;
const NO_WORKING_DIR = /chdir `([^`]*)`: No such file or directory/;
const WRONG_KIND = /mount `([^`]*)` to `([^`]*)`: Not a directory/;

/** The failure that crun's message tells of; undefined when the message is none of crun's known ones. */
export function parseCrunFailure(
  message: string,
  attempt: AttemptedStart,
): RuntimeFailure | undefined {
  const prefix = attempt.operation === 'create' ? 'crun create failed' : 'exec failed';
  const start = `${prefix}: unable to start container process`;
  const missing = NOT_FOUND.exec(message)?.[1];
  if (missing !== undefined) {
    const reason = missing.includes('/')
      ? `stat ${missing}: no such file or directory`
      : 'executable file not found in $PATH';
    return { text: `${start}: exec: ${JSON.stringify(missing)}: ${reason}`, exitCode: 127 };
  }
  if (NOT_EXECUTABLE.test(message)) {
    const text = `${start}: exec: ${JSON.stringify(attempt.program)}: permission denied`;
    return { text, exitCode: 126 };
  }
  const cwd = NO_WORKING_DIR.exec(message)?.[1];
  if (cwd !== undefined) {
    const text = `${start}: chdir to cwd (${JSON.stringify(cwd)}) set in config.json failed: no such file or directory`;
    return { text, exitCode: 127 };
  }
  const mount = WRONG_KIND.exec(message);
  if (mount !== null) return { text: wrongKind(start, mount), exitCode: 126 };
  return undefined;
}

/** Docker adds the question to runc's message; users search for it. */
function wrongKind(start: string, [, source = '', target = '']: readonly string[]): string {
  return (
    `${start}: error during container init: error mounting ${JSON.stringify(source)} to rootfs at ` +
    `${JSON.stringify(`/${target.replace(/^\//, '')}`)}: not a directory: Are you trying to mount a directory onto a ` +
    'file (or vice-versa)? Check if the specified host path exists and is the expected type'
  );
}
