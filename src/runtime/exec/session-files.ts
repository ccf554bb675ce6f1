/** The short-lived files of exec sessions, in the directories of their tasks. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../../sys/fs/names-in.ts';
import type { RuntimePaths } from '../../sys/paths.ts';

/** Files of one session. */
export interface SessionFiles {
  /** What the runtime is to run. */
  readonly process: string;
  /** Written by the runtime once the process runs. */
  readonly pid: string;
  readonly log: string;
}

const PREFIX = 'exec-';

/** The files of session `id` in the directory of its task. */
export function sessionFiles(taskDir: string, id: string): SessionFiles {
  const file = (suffix: string) => join(taskDir, `${PREFIX}${id}.${suffix}`);
  return { process: file('json'), pid: file('pid'), log: file('log') };
}

/** Removes what the sessions of an earlier engine left: their processes go on, but nobody reads these any more. */
export async function sweepSessionFiles({ containersDir }: RuntimePaths): Promise<void> {
  const tasks = await namesIn(containersDir);
  await Promise.all(
    tasks.map(async (task) => {
      const dir = join(containersDir, task);
      const left = (await namesIn(dir)).filter((name) => name.startsWith(PREFIX));
      await Promise.all(left.map((name) => rm(join(dir, name), { force: true })));
    }),
  );
}
