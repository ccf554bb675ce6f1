/** What the guest prints on its console: the stage that it is in, and why it gave up. */
import { readFile } from 'node:fs/promises';
import { isMissing } from '../../sys/system-errors.ts';

/** What the console tells. */
export interface ConsoleState {
  /** Of the guest's own stages; the kernel has none. */
  readonly stage: string;
  /** The guest's own reason for giving up. */
  readonly failure: string | undefined;
  /** The last lines. */
  readonly tail: string;
}

const TAIL_LINES = 12;
const FIRST_STAGE = 'loading the kernel';

/** The state that the log at `path` shows; that of the beginning when there is no log yet. */
export async function readConsole(path: string): Promise<ConsoleState> {
  try {
    return parseConsole(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return parseConsole('');
    throw error;
  }
}

/** The same of a text. */
export function parseConsole(text: string): ConsoleState {
  const lines = text.replaceAll('\r', '').trim().split('\n');
  const last = (kind: string) =>
    lines.findLast((line) => line.startsWith(`wherry: ${kind} `))?.slice(`wherry: ${kind} `.length);
  const panic = lines.findLast((line) => line.includes('Kernel panic'));
  return {
    stage: last('stage') ?? FIRST_STAGE,
    failure: last('failed') ?? panic,
    tail: lines.slice(-TAIL_LINES).join('\n'),
  };
}
