/** Printing a log file, and following it. */

import { once } from 'node:events';
import { createReadStream, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { isMissing } from '../sys/system-errors.ts';

/** Prints the last `lines` lines (all when undefined); with `follow` goes on until the program is interrupted. */
export async function showFile(
  path: string,
  options: { readonly follow: boolean; readonly lines: number | undefined },
): Promise<void> {
  const text = await readOrEmpty(path);
  process.stdout.write(lastLines(text, options.lines));
  if (!options.follow) return;
  const watcher = watch(path);
  process.once('SIGINT', () => watcher.close());
  for (let shown = Buffer.byteLength(text); ; ) {
    const { size } = await stat(path);
    // A log that was put aside begins anew.
    if (size < shown) shown = 0;
    if (size > shown) {
      const added = createReadStream(path, { start: shown, end: size - 1 });
      await pipeline(added, process.stdout, { end: false });
      shown = size;
    }
    const closed = once(watcher, 'close').then(() => 'closed');
    if ((await Promise.race([once(watcher, 'change'), closed])) === 'closed') return;
  }
}

/** The last `count` lines of a text; all of it when undefined. */
export function lastLines(text: string, count: number | undefined): string {
  if (count === undefined || text === '') return text;
  const lines = text.replace(/\n$/, '').split('\n');
  return count === 0 ? '' : `${lines.slice(-count).join('\n')}\n`;
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}
