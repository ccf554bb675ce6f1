/** `GET /containers/{id}/top`. */
import type { ProcessTable } from '../../runtime/task-observer.ts';
import type { ContainerDeps } from './container-deps.ts';
import { isRestartingNow, notRunning, renamedPsColumn } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { liveStatus } from './container-status.ts';

const DEFAULT_PS_ARGS = '-ef';

/** The processes of a running container as `ps` with `psArgs` (options between spaces, may be empty) shows them. */
export async function topContainer(
  deps: Pick<ContainerDeps, 'registry' | 'observer' | 'events'>,
  ref: string,
  psArgs: string,
): Promise<ProcessTable> {
  assertPidColumnIsReal(psArgs);
  const document = deps.registry.resolve(ref);
  if (document.status.state === 'restarting') throw isRestartingNow(document.id);
  const live = liveStatus(document.status);
  if (live === undefined) throw notRunning(document.id);
  const args = (psArgs.trim() || DEFAULT_PS_ARGS).split(' ').filter((arg) => arg !== '');
  const table = await deps.observer.listProcesses(live.task, args);
  publishContainerEvent(deps, document, { action: 'top' });
  return table;
}

/** Another column that is titled PID would be taken for the one which tells processes apart. */
function assertPidColumnIsReal(psArgs: string): void {
  for (const [, column = '', title = ''] of psArgs.matchAll(/\s(\S*)=\s*(PID\S*)/g)) {
    if (column !== 'pid') throw renamedPsColumn(column, title);
  }
}
