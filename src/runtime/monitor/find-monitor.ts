/** Finding the monitor of a task of which only the directory is known: the engine died while it was being created. */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { identify, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { listPids } from '../../sys/proc/process-table.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { untilEnded } from './task-exit.ts';
import type { TaskFiles } from './task-files.ts';

/** The processes of a task that was created. */
export interface FoundTask {
  readonly init: ProcessIdentity;
  readonly monitor: ProcessIdentity;
}

/**
 * Looks through all processes for the monitor of these files, and waits until it has created the container or
 * given up. Undefined when there is no monitor, or none any more.
 */
export async function findMonitored(files: TaskFiles): Promise<FoundTask | undefined> {
  const monitor = await findMonitor(files);
  if (monitor === undefined) return undefined;
  await Promise.race([untilFileAppears(files.pidFile), untilEnded(monitor)]);
  const pid = await readPid(files.pidFile);
  const init = pid === undefined ? undefined : await identify(pid);
  return init === undefined ? undefined : { init, monitor };
}

async function findMonitor(files: TaskFiles): Promise<ProcessIdentity | undefined> {
  for (const pid of await listPids()) {
    const argv = await commandLineOf(pid);
    const bundle = argv[argv.indexOf('--bundle') + 1];
    if (basename(argv[0] ?? '') === 'conmon' && bundle === files.bundleDir) return identify(pid);
  }
  return undefined;
}

/** Empty for a process that has gone or that we may not look at. */
async function commandLineOf(pid: number): Promise<readonly string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0');
}

/** The runtime writes the pid when the container is created. */
async function untilFileAppears(path: string): Promise<void> {
  const dir = path.slice(0, path.lastIndexOf('/'));
  await new Promise<void>((resolve) => {
    const done = () => {
      watcher.close();
      resolve();
    };
    const check = () => {
      readPid(path).then((pid) => {
        if (pid !== undefined) done();
      }, done);
    };
    const watcher = watch(dir, check);
    watcher.unref();
    watcher.on('error', done);
    check();
  });
}

async function readPid(path: string): Promise<number | undefined> {
  try {
    const pid = Number.parseInt(await readFile(path, 'utf8'), 10);
    return pid > 0 ? pid : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
