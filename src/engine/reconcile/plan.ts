/**
 * What to do after a start, decided from what is stored and what is there. Pure: no I/O, tested as a table.
 * Every action is idempotent, so that a crash during recovery only means another recovery.
 */
import type { TaskExit, TaskObservation, TaskRecord } from '../../runtime/task-runner.ts';
import { assertNever } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import { lastExit } from '../containers/container-status.ts';
import { snapshotOwner } from '../containers/mounted-images.ts';
import { startsWithEngine } from '../containers/restart-policy.ts';

/** One step of recovery. */
export type Action =
  /** The process still runs: take it up again. */
  | { readonly do: 'adopt'; readonly id: ContainerId; readonly task: TaskRecord }
  /** It is to be frozen; a crash may have come in between. */
  | { readonly do: 'freeze'; readonly id: ContainerId; readonly task: TaskRecord }
  /** It was frozen for the sake of something that the crash ended. */
  | { readonly do: 'thaw'; readonly id: ContainerId; readonly task: TaskRecord }
  /** A stop was under way: go on with it. */
  | { readonly do: 'finish-stop'; readonly id: ContainerId; readonly task: TaskRecord }
  /** The process has ended meanwhile. */
  | { readonly do: 'settle'; readonly id: ContainerId; readonly exit: TaskExit }
  /** A start was interrupted: take back what it did. */
  | {
      readonly do: 'undo-start';
      readonly id: ContainerId;
      readonly task: TaskRecord | undefined;
    }
  /** A restart was being waited for: wait again. */
  | { readonly do: 'resume-restart'; readonly id: ContainerId; readonly delayMs: number }
  /** At rest, but its policy wants it to run whenever the engine does. */
  | { readonly do: 'start-by-policy'; readonly id: ContainerId }
  | { readonly do: 'finish-removal'; readonly id: ContainerId; readonly exitCode: number }
  | { readonly do: 'discard-task'; readonly id: ContainerId }
  | { readonly do: 'discard-sandbox'; readonly id: ContainerId }
  | { readonly do: 'discard-snapshot'; readonly key: string }
  /** Made for a container whose creation was cut off before it was there. */
  | { readonly do: 'discard-volume'; readonly name: string }
  /** Made for a container that is there, only its volume does not know yet. */
  | { readonly do: 'keep-volume'; readonly name: string };

/** Everything the plan depends on. */
export interface Observed {
  readonly documents: readonly ContainerDocument[];
  /** Containers whose documents cannot be read: what they have is kept for when somebody repairs them. */
  readonly damagedIds: readonly string[];
  readonly tasks: ReadonlyMap<ContainerId, TaskObservation>;
  /** Containers that have runtime files, sandboxes or writable snapshots, whether documented or not. */
  readonly taskIds: readonly ContainerId[];
  readonly sandboxIds: readonly ContainerId[];
  readonly snapshotKeys: readonly string[];
  /** Volumes that still name the container that they are made for. */
  readonly volumes: readonly { readonly name: string; readonly madeFor?: string }[];
  /** False when only the engine was replaced: to the user nothing has restarted then. */
  readonly isNewMachine: boolean;
  /** Now, for runs whose end nobody recorded. RFC 3339. */
  readonly now: string;
}

/** Exit code of a process that vanished without a trace, as dockerd reports it. */
const LOST_EXIT_CODE = 255;

/** The actions in the order in which they are to be done. */
export function planRecovery(observed: Observed): readonly Action[] {
  const ids = observed.documents.map((document) => document.id);
  const known = new Set<string>([...ids, ...observed.damagedIds]);
  const isOrphan = (id: string) => !known.has(id);
  return [
    ...observed.taskIds.filter(isOrphan).map((id): Action => ({ do: 'discard-task', id })),
    ...observed.sandboxIds.filter(isOrphan).map((id): Action => ({ do: 'discard-sandbox', id })),
    ...observed.snapshotKeys
      .filter((key) => isOrphan(snapshotOwner(key)))
      .map((key): Action => ({ do: 'discard-snapshot', key })),
    ...observed.volumes.map(
      ({ name, madeFor = '' }): Action => ({
        do: isOrphan(madeFor) ? 'discard-volume' : 'keep-volume',
        name,
      }),
    ),
    ...observed.documents.flatMap((document) => planOne(document, observed)),
  ];
}

function planOne(document: ContainerDocument, observed: Observed): readonly Action[] {
  const { id, status } = document;
  const task = observed.tasks.get(id) ?? { state: 'absent' };
  switch (status.state) {
    case 'paused':
      return task.state === 'running'
        ? [takeUpPause(id, task.record, status.passing === true), adopt(id, task.record)]
        : [settle(id, task, observed)];
    case 'running':
      return [task.state === 'running' ? adopt(id, task.record) : settle(id, task, observed)];
    case 'stopping':
      return task.state === 'running'
        ? [{ do: 'finish-stop', id, task: task.record }]
        : [settle(id, task, observed)];
    case 'starting':
      return [{ do: 'undo-start', id, task: task.state === 'running' ? task.record : undefined }];
    case 'removing':
      return [{ do: 'finish-removal', id, exitCode: lastExit(status)?.exitCode ?? 0 }];
    case 'restarting':
      return [...planAtRest(id, observed), resumeRestart(document)];
    case 'exited':
      return startsWithEngine(document, observed.isNewMachine)
        ? [...planAtRest(id, observed), { do: 'start-by-policy', id }]
        : planAtRest(id, observed);
    case 'created':
    case 'dead':
      return planAtRest(id, observed);
    default:
      return assertNever(status);
  }
}

function adopt(id: ContainerId, task: TaskRecord): Action {
  return { do: 'adopt', id, task };
}

function takeUpPause(id: ContainerId, task: TaskRecord, passing: boolean): Action {
  return { do: passing ? 'thaw' : 'freeze', id, task };
}

function resumeRestart({ id, restartDelayMs = 0 }: ContainerDocument): Action {
  return { do: 'resume-restart', id, delayMs: restartDelayMs };
}

function settle(
  id: ContainerId,
  task: Exclude<TaskObservation, { state: 'running' }>,
  observed: Observed,
): Action {
  const exit =
    task.state === 'exited'
      ? task.exit
      : { exitCode: LOST_EXIT_CODE, finishedAt: observed.now, oomKilled: false, lost: true };
  return { do: 'settle', id, exit };
}

/** A container at rest owns nothing at run time; what is there was left by a crash. */
function planAtRest(id: ContainerId, observed: Observed): readonly Action[] {
  const actions: Action[] = [];
  if (observed.taskIds.includes(id)) actions.push({ do: 'discard-task', id });
  if (observed.sandboxIds.includes(id)) actions.push({ do: 'discard-sandbox', id });
  return actions;
}
