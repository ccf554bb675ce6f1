/** How a task ended, from what its monitor left behind. */
import { access, readFile, stat } from 'node:fs/promises';
import { watchExit } from '../../sys/exec/exit-watch.ts';
import { isAlive, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { isMissing } from '../../sys/system-errors.ts';
import type { TaskExit } from '../task-runner.ts';
import type { TaskFiles } from './task-files.ts';

/** Undefined while there is no exit file. The monitor writes it in one step, after the last byte of the log. */
export async function readExit(files: TaskFiles): Promise<TaskExit | undefined> {
  try {
    const [text, { mtimeNs }, oomKilled] = await Promise.all([
      readFile(files.exitFile, 'utf8'),
      stat(files.exitFile, { bigint: true }),
      exists(files.oomMarker),
    ]);
    return {
      exitCode: Number.parseInt(text, 10),
      finishedAt: isoOf(mtimeNs),
      oomKilled,
      lost: false,
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Resolves once exactly this process has ended, whoever its parent is. */
export async function untilEnded(identity: ProcessIdentity): Promise<void> {
  const watch = watchExit(identity.pid);
  // Checked after the watch is on: from here on its end cannot be missed, and a reused pid is told apart.
  if (await isAlive(identity)) await watch.ended;
  else watch.close();
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

function isoOf(epochNs: bigint): string {
  const seconds = new Date(Number(epochNs / 1_000_000n)).toISOString().slice(0, -1);
  return `${seconds}${String(epochNs % 1_000_000n).padStart(6, '0')}Z`;
}
