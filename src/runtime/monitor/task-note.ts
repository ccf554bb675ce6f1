/** The file beside a running task that tells a new engine what it needs in order to adopt it. */
import { readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { parseContainerId } from '../../shared/ids.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { corruptTaskFile } from '../runtime-errors.ts';
import type { TaskRecord, TaskRequest } from '../task-runner.ts';

/**
 * What becomes of the process's stdin: none at all; closed with the first connection that ends; or open until the
 * process ends, whoever comes and goes.
 */
export type StdinMode = 'none' | 'once' | 'kept';

/** The content of the file. */
export interface TaskNote {
  readonly v: 1;
  readonly record: TaskRecord;
  readonly stdin: StdinMode;
  /** Whether sessions in the container are to be started in the host's network; no when absent. */
  readonly hostNetwork?: boolean;
}

const identity = v.object({ pid: v.number(), startTicks: v.number(), bootId: v.string() });

const note = v.object({
  v: v.literal(1),
  record: v.object({
    id: v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const id = parseContainerId(dataset.value);
        if (id !== undefined) return id;
        addIssue({ message: 'not a container id' });
        return NEVER;
      }),
    ),
    runtimeName: v.string(),
    init: identity,
    monitor: identity,
    startedAt: v.string(),
  }),
  stdin: v.picklist(['none', 'once', 'kept']),
  hostNetwork: v.exactOptional(v.boolean()),
});

/** The mode that a request asks for. A terminal stays usable for later clients (`docker attach`). */
export function stdinModeOf(
  request: Pick<TaskRequest, 'openStdin' | 'stdinOnce' | 'terminal'>,
): StdinMode {
  if (!request.openStdin) return 'none';
  return request.stdinOnce && !request.terminal ? 'once' : 'kept';
}

/** Undefined when there is no such file. `corrupt` when it cannot be understood. */
export async function readTaskNote(path: string): Promise<TaskNote | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return v.parse(note, JSON.parse(text));
  } catch (error) {
    throw corruptTaskFile(path, error);
  }
}

/** Not synced: the file means nothing after a reboot. */
export async function writeTaskNote(path: string, content: TaskNote): Promise<void> {
  await writeFile(path, JSON.stringify(content), { mode: 0o600, flag: 'wx' });
}
