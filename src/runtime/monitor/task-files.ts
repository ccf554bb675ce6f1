/** Where the files of one task are: those of `sys/paths.ts` and those that conmon makes by itself. */
import { join } from 'node:path';
import { TASK_NAMES } from '../../sys/filenames.ts';
import type { RuntimePaths } from '../../sys/paths.ts';

/** Absolute paths of one task's files. */
export interface TaskFiles {
  /** Holds all of them but the exit file; the monitor's working directory. */
  readonly dir: string;
  /** The OCI bundle: `config.json`, and the monitor's socket and fifos beside it. */
  readonly bundleDir: string;
  readonly config: string;
  /** Pid of the init process, written by the runtime. */
  readonly pidFile: string;
  /** What a new engine must know to adopt the task. */
  readonly task: string;
  /** The monitor's socket for stdin, in the bundle directory because of `--full-attach`. */
  readonly attachSocket: string;
  /** The monitor's fifo for terminal sizes. */
  readonly controlFifo: string;
  /** Made by the monitor when the kernel killed the container for want of memory. */
  readonly oomMarker: string;
  /** Exit code, written by the monitor when everything else is done. */
  readonly exitFile: string;
}

/** The files of task `id`. */
export function taskFiles(paths: RuntimePaths, id: string): TaskFiles {
  const { dir, bundleDir, task } = paths.container(id);
  return {
    dir,
    bundleDir,
    task,
    config: join(bundleDir, TASK_NAMES.config),
    pidFile: join(dir, TASK_NAMES.pidFile),
    attachSocket: join(bundleDir, TASK_NAMES.attachSocket),
    controlFifo: join(bundleDir, TASK_NAMES.controlFifo),
    oomMarker: join(dir, TASK_NAMES.oomMarker),
    exitFile: join(paths.exitsDir, id),
  };
}
