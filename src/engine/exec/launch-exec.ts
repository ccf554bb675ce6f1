/** Starts the process of an exec session. */
import type { ExecHandle, TerminalSize } from '../../runtime/task-runner.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import { liveStatus } from '../containers/container-status.ts';
import { linkVariables } from '../containers/linked-containers.ts';
import type { ExecDocument } from './exec-document.ts';

export interface LaunchRequest {
  readonly document: ExecDocument;
  readonly container: ContainerDocument;
  readonly consoleSize: TerminalSize | undefined;
  readonly detached: boolean;
}

/** Builds the process from the container's settings and runs it. Rejects when user or directory are wrong. */
export async function launchExec(
  deps: Pick<ContainerDeps, 'registry' | 'specs' | 'tasks' | 'snapshots'>,
  launch: LaunchRequest,
): Promise<ExecHandle> {
  const { document, container } = launch;
  const { request } = document;
  const process = await deps.specs.buildExec({
    config: {
      ...container.config,
      Env: [
        ...linkVariables(deps.registry, container, liveStatus(container.status)?.network),
        ...(container.config.Env ?? []),
      ],
    },
    hostConfig: container.hostConfig,
    rootfsDir: await deps.snapshots.mount(container.id),
    args: request.args,
    env: request.env,
    ...(request.workingDir ? { workingDir: request.workingDir } : {}),
    ...(request.user ? { user: request.user } : {}),
    privileged: request.privileged,
    terminal: request.tty,
  });
  const terminalSize = launch.consoleSize ?? request.consoleSize;
  return await deps.tasks.exec({
    id: document.id,
    containerId: container.id,
    runtimeName: container.runtimeName,
    process,
    ...(terminalSize === undefined ? {} : { terminalSize }),
    attachStdin: request.attachStdin && !launch.detached,
    detached: launch.detached,
  });
}
