/** What a container's monitor is told while it runs: sizes of the terminal, and when to begin a new log file. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoCode } from '../../sys/system-errors.ts';
import type { TerminalSize } from '../task-runner.ts';

/** conmon's message types, and the largest number it takes as a size. */
const RESIZE = 1;
const REOPEN_LOG = 2;
const LARGEST = 1000;

/** Sends the size; false when no monitor listens. */
export function sendTerminalSize(controlFifo: string, size: TerminalSize): boolean {
  return send(controlFifo, `${RESIZE} ${bounded(size.rows)} ${bounded(size.columns)}\n`);
}

/** Has the monitor put a new, empty file in the place of its log; false when no monitor listens. */
export function sendReopenLog(controlFifo: string): boolean {
  return send(controlFifo, `${REOPEN_LOG} 0 0\n`);
}

/** One short line is written whole or not at all (pipe(7)). */
function send(controlFifo: string, line: string): boolean {
  let fd: number;
  try {
    fd = openSync(controlFifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENXIO', 'ENOENT'].includes(errnoCode(error) ?? '')) return false;
    throw error;
  }
  try {
    writeSync(fd, line);
    return true;
  } finally {
    closeSync(fd);
  }
}

function bounded(cells: number): number {
  return Math.min(Math.max(Math.trunc(cells), 0), LARGEST);
}
