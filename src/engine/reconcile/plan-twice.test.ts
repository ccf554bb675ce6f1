import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskExit, TaskObservation, TaskRecord } from '../../runtime/task-runner.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDocument, ContainerStatus } from '../containers/container-document.ts';
import { isRestarting } from '../containers/container-status.ts';
import { type Action, type Observed, planRecovery } from './plan.ts';

const id = 'a'.repeat(64) as ContainerId;
const identity = { pid: 7, startTicks: 1, bootId: 'boot' };
const task: TaskRecord = {
  id,
  runtimeName: 'crun',
  init: identity,
  monitor: identity,
  startedAt: '',
};
const exit: TaskExit = { exitCode: 3, finishedAt: '', oomKilled: false, lost: false };
const last = { exitCode: 4, startedAt: '', finishedAt: '', oomKilled: false, error: '' };
const live = { task, network: undefined };

const STATUSES: readonly (ContainerStatus | undefined)[] = [
  undefined,
  { state: 'created' },
  { state: 'starting', before: 'created' },
  { state: 'starting', before: 'restarting', last },
  { state: 'running', ...live },
  { state: 'paused', ...live },
  { state: 'paused', ...live, passing: true },
  { state: 'stopping', ...live },
  { state: 'exited', last },
  { state: 'restarting', last },
  { state: 'removing', last },
  { state: 'dead' },
];
const TASKS: readonly TaskObservation[] = [
  { state: 'running', record: task },
  { state: 'exited', exit },
  { state: 'absent' },
];
/** Which things are left beside the task. */
const SUBSETS = [[], ['sandbox'], ['snapshot'], ['volume']].flatMap((one) =>
  [[], ['sandbox', 'snapshot']].map((more) => [...new Set([...one, ...more])]),
);

/** Every combination of what can be stored with what can be found. */
function worlds(): readonly Observed[] {
  return STATUSES.flatMap((status) =>
    TASKS.flatMap((observation) =>
      ['no', 'always'].flatMap((policy) =>
        SUBSETS.map((leftovers) => world({ status, observation, policy, leftovers })),
      ),
    ),
  );
}

interface Parts {
  readonly status: ContainerStatus | undefined;
  readonly observation: TaskObservation;
  readonly policy: string;
  readonly leftovers: readonly string[];
}

function world({ status, observation, policy, leftovers }: Parts): Observed {
  const hostConfig = { RestartPolicy: { Name: policy } };
  return {
    documents: status === undefined ? [] : [{ id, status, hostConfig } as ContainerDocument],
    damagedIds: [],
    tasks: new Map([[id, observation]]),
    taskIds: observation.state === 'absent' ? [] : [id],
    sandboxIds: leftovers.includes('sandbox') ? [id] : [],
    snapshotKeys: leftovers.includes('snapshot') ? [id] : [],
    volumes: leftovers.includes('volume') ? [{ name: 'v', madeFor: id }] : [],
    isNewMachine: true,
    now: '',
  };
}

/** The world after an action, as the promises of `Action` have it. */
function after(found: Observed, action: Action): Observed {
  const without = { tasks: new Map([[id, TASKS[2] as TaskObservation]]), taskIds: [] };
  const to = (status: ContainerStatus) =>
    found.documents.map((document) => ({ ...document, status }));
  switch (action.do) {
    case 'thaw':
      return { ...found, documents: to({ state: 'running', ...live }) };
    case 'freeze':
    case 'adopt':
    case 'resume-restart':
      return found;
    case 'settle':
      return { ...found, ...without, sandboxIds: [], documents: to({ state: 'exited', last }) };
    case 'finish-stop':
      return { ...found, ...without, sandboxIds: [], documents: to({ state: 'exited', last }) };
    case 'undo-start': {
      const [document] = found.documents;
      const waits = document !== undefined && isRestarting(document.status);
      const status = waits
        ? ({ state: 'restarting', last } as const)
        : ({ state: 'created' } as const);
      return { ...found, ...without, sandboxIds: [], documents: to(status) };
    }
    case 'start-by-policy':
      return { ...found, documents: to({ state: 'restarting', last }) };
    case 'finish-removal':
      return { ...found, ...without, sandboxIds: [], snapshotKeys: [], documents: [] };
    case 'discard-task':
      return { ...found, ...without };
    case 'discard-sandbox':
      return { ...found, sandboxIds: [] };
    case 'discard-snapshot':
      return { ...found, snapshotKeys: [] };
    case 'discard-volume':
    case 'keep-volume':
      return { ...found, volumes: [] };
  }
}

const execute = (found: Observed, actions: readonly Action[]) => actions.reduce(after, found);

/** What a plan for a world in order may still ask for: taking up what runs, and waiting for what is to be restarted. */
const CALM = ['adopt', 'freeze', 'resume-restart', 'start-by-policy'];

test('whatever is stored and found, a plan that was carried out leaves nothing to repair', () => {
  for (const found of worlds()) {
    const recovered = execute(found, planRecovery(found));
    const rest = planRecovery(recovered).filter((action) => !CALM.includes(action.do));
    assert.deepEqual(rest, [], JSON.stringify([found.documents, [...found.tasks.values()]]));
  }
});

test('whatever is stored and found, carrying a plan out twice is the same as once', () => {
  for (const found of worlds()) {
    const actions = planRecovery(found);
    const once = execute(found, actions);
    assert.deepEqual(execute(once, actions), once);
  }
});
