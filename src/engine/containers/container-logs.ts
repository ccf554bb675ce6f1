/** `GET /containers/{id}/logs`. */
import type { ContainerOutput, LogsOptions } from '../../api/backends.ts';
import type { ContainerDeps } from './container-deps.ts';
import { liveStatus } from './container-status.ts';
import { logNotReadable } from './host-config-errors.ts';
import { detailsText, shownAttributes } from './log-attributes.ts';
import { keepsNoLog } from './log-drivers.ts';
import { chooseStreams } from './logged-output.ts';

/** What the container wrote. A follow ends with the container; one that does not run is not followed. */
export async function containerLogs(
  deps: Pick<ContainerDeps, 'registry' | 'signals' | 'logs' | 'files'>,
  request: { readonly ref: string; readonly options: LogsOptions },
  signal: AbortSignal,
): Promise<ContainerOutput> {
  const { options } = request;
  const document = deps.registry.resolve(request.ref);
  if (keepsNoLog(document.hostConfig.LogConfig)) throw logNotReadable();
  const follows = options.follow && liveStatus(document.status) !== undefined;
  const { sinceSeconds, untilSeconds, tailLines } = options;
  const batches = deps.logs.read({
    logPath: deps.files.logPath(document.id),
    signal,
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(untilSeconds === undefined ? {} : { untilSeconds }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(follows ? { follow: { ended: deps.signals.endOfLiveRun(document.id, signal) } } : {}),
  });
  return {
    tty: document.config.Tty ?? false,
    entries: chooseStreams(batches, options),
    attributes: detailsText(shownAttributes(document)),
  };
}
