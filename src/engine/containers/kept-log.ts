/** What becomes of a container's log, from its driver and its options. */
import type { JournalMirror, KeptLog, LogPolicy } from '../../runtime/log-keeper.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { journalAttributes, logAttributes, logTag } from './log-attributes.ts';
import { keepsNoLog, logDriver, logLimits, writesToJournal } from './log-drivers.ts';

/** Docker's file goes with the driver `json-file` only. */
const FILE_DRIVER = 'json-file';
const SHORT_ID_CHARACTERS = 12;

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
  const limits = keepsNoLog(hostConfig.LogConfig)
    ? { maxFiles: 1, compresses: false }
    : logLimits(hostConfig.LogConfig);
  return { id, logPath: files.logPath(id), policy: { ...limits, ...mirrorOf(files, document) } };
}

function mirrorOf(
  files: ContainerDeps['files'],
  document: ContainerDocument,
): Pick<LogPolicy, 'mirror'> {
  if (writesToJournal(document.hostConfig.LogConfig)) {
    return { mirror: journalMirror(files, document) };
  }
  const path = shownLogPath(files, document);
  if (path === '') return {};
  const attributes = logAttributes(document);
  return { mirror: { kind: 'file', path, ...(attributes === undefined ? {} : { attributes }) } };
}

/** Docker's fields. The options' labels and variables come last: they win, as with Docker. */
function journalMirror(files: ContainerDeps['files'], document: ContainerDocument): JournalMirror {
  const { id, name, imageRef } = document;
  const tag = logTag(document);
  return {
    kind: 'journal',
    progressPath: files.journalProgressPath(id),
    fields: {
      CONTAINER_ID: id.slice(0, SHORT_ID_CHARACTERS),
      CONTAINER_ID_FULL: id,
      CONTAINER_NAME: name,
      CONTAINER_TAG: tag,
      IMAGE_NAME: imageRef,
      SYSLOG_IDENTIFIER: tag,
      ...journalAttributes(document),
    },
  };
}
