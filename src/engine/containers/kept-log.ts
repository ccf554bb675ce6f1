/** What becomes of a container's log, from its driver and its options. */
import type { KeptLog } from '../../runtime/log-keeper.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { logAttributes } from './log-attributes.ts';
import { keepsNoLog, logDriver, logLimits } from './log-drivers.ts';

/** Docker's file goes with the driver `json-file` only. */
const FILE_DRIVER = 'json-file';

/** The path that `LogPath` shows: empty for drivers without such a file. */
export function shownLogPath(
  files: ContainerDeps['files'],
  { id, hostConfig }: ContainerDocument,
): string {
  return logDriver(hostConfig.LogConfig) === FILE_DRIVER ? files.jsonLogPath(id) : '';
}

/** The log of a container as the log keeper takes it. */
export function keptLog(files: ContainerDeps['files'], document: ContainerDocument): KeptLog {
  const { id, hostConfig } = document;
  const path = shownLogPath(files, document);
  const attributes = logAttributes(document);
  const limits = keepsNoLog(hostConfig.LogConfig)
    ? { maxFiles: 1, compresses: false }
    : logLimits(hostConfig.LogConfig);
  const mirror =
    path === '' ? {} : { mirror: { path, ...(attributes === undefined ? {} : { attributes }) } };
  return { id, logPath: files.logPath(id), policy: { ...limits, ...mirror } };
}
