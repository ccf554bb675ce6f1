/** What a client asks of an exec session. */
import type { TerminalSize } from '../../runtime/task-runner.ts';

export interface CreateExecRequest {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string | undefined;
  readonly user: string | undefined;
  readonly privileged: boolean;
  readonly tty: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  readonly detachKeys: string | undefined;
  readonly consoleSize: TerminalSize | undefined;
}
