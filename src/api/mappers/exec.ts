/** Exec sessions on the wire. */
import type { ExecDocument } from '../../engine/exec/exec-document.ts';

/** `GET /exec/{id}/json`. The exit code is null until the process has ended. */
export function toExecInspect(document: ExecDocument): object {
  const { request, status } = document;
  const [entrypoint = '', ...args] = request.args;
  return {
    ID: document.id,
    Running: status.state === 'running',
    ExitCode: status.state === 'exited' ? status.exitCode : null,
    ProcessConfig: {
      tty: request.tty,
      entrypoint,
      arguments: args,
      privileged: request.privileged,
      ...(request.user === undefined ? {} : { user: request.user }),
    },
    OpenStdin: request.attachStdin,
    OpenStderr: request.attachStderr,
    OpenStdout: request.attachStdout,
    CanRemove: status.state === 'exited',
    ContainerID: document.containerId,
    DetachKeys: request.detachKeys ?? '',
    Pid: status.state === 'running' ? status.pid : 0,
  };
}
