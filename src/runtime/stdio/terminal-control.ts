/** Sizes of a container's terminal, told to its monitor. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { errnoCode } from '../../sys/system-errors.ts';
import type { TerminalSize } from '../task-runner.ts';

/** conmon's message type for a new size, and the largest number it takes. */
const RESIZE = 1;
const LARGEST = 1000;

/** Sends the size; false when no monitor listens. One short line is written whole or not at all (pipe(7)). */
export function sendTerminalSize(controlFifo: string, size: TerminalSize): boolean {
  let fd: number;
  try {
    fd = openSync(controlFifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENXIO', 'ENOENT'].includes(errnoCode(error) ?? '')) return false;
    throw error;
  }
  try {
    writeSync(fd, `${RESIZE} ${bounded(size.rows)} ${bounded(size.columns)}\n`);
    return true;
  } finally {
    closeSync(fd);
  }
}

function bounded(cells: number): number {
  return Math.min(Math.max(Math.trunc(cells), 0), LARGEST);
}
