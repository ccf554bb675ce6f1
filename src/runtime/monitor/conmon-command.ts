/** The command line of conmon(8). */
import { dirname } from 'node:path';
import type { Command } from '../../sys/exec/command.ts';
import { LONGEST_SOCKET_PATH_BYTES } from '../../sys/filenames.ts';
import type { UsableRuntime } from '../runtimes/usable-runtime.ts';
import type { TaskFiles } from './task-files.ts';
import type { StdinMode } from './task-note.ts';

/** Descriptor on which the monitor reports the pid of the container, or why there is none. */
export const SYNC_FD = 3;

/** Everything that shapes a monitor. */
export interface MonitorRequest {
  /** Name or path of conmon. */
  readonly program: string;
  readonly id: string;
  readonly runtime: UsableRuntime;
  readonly files: TaskFiles;
  readonly logPath: string;
  readonly terminal: boolean;
  readonly stdin: StdinMode;
  /** The container has no network namespace of its own, but the one that the monitor is started in. */
  readonly hostNetwork: boolean;
  /** False shares the engine's session keyring with the container. */
  readonly ownKeyring: boolean;
  /** A directory for conmon's short-lived console socket. */
  readonly temporaryDir: string;
}

/** The longest name conmon gives its console socket: `/conmon-term.XXXXXX`. */
const CONSOLE_SOCKET_NAME_BYTES = 19;

/** The command that creates the container of `files.bundleDir` and stays with it as its monitor. */
export function conmonCommand(request: MonitorRequest): Command {
  const { id, runtime, files, logPath } = request;
  return {
    file: request.program,
    args: [
      ...['--cid', id, '--cuuid', id],
      ...['--runtime', runtime.program],
      ...runtime.globalArgs.flatMap((argument) => ['--runtime-arg', argument]),
      ...['--bundle', files.bundleDir],
      ...['--container-pidfile', files.pidFile],
      ...['--exit-dir', dirname(files.exitFile)],
      ...['--log-path', `k8s-file:${logPath}`],
      ...['--log-level', 'error'],
      // One fork less: the process we start is the monitor. It has its own session, and init inherits it from us.
      '--sync',
      // The socket for stdin goes into the bundle directory, whatever the length of its path.
      '--full-attach',
      // Docker does not sync logs either; the page cache outlives monitor and engine.
      '--no-sync-log',
      ...(request.ownKeyring ? [] : ['--no-new-keyring']),
      ...(request.terminal ? ['--terminal'] : []),
      ...(request.stdin === 'none' ? [] : ['--stdin']),
      ...(request.stdin === 'kept' ? ['--leave-stdin-open'] : []),
    ],
    env: {
      ...runtime.environment,
      // Times in the log are local to the monitor.
      TZ: 'UTC',
      _OCI_SYNCPIPE: String(SYNC_FD),
      ...consoleSocketPlace(request.temporaryDir),
    },
    // conmon leaves its marker of an out-of-memory kill in its working directory.
    cwd: files.dir,
  };
}

/** In our own directory when the socket's path fits there, so that a crash leaves nothing elsewhere. */
function consoleSocketPlace(dir: string): Readonly<Record<string, string>> {
  const length = Buffer.byteLength(dir) + CONSOLE_SOCKET_NAME_BYTES;
  return length <= LONGEST_SOCKET_PATH_BYTES ? { TMPDIR: dir } : {};
}
