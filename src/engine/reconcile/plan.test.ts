import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskExit, TaskObservation, TaskRecord } from '../../runtime/task-runner.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDocument, ContainerStatus } from '../containers/container-document.ts';
import { planRecovery } from './plan.ts';

const id = 'a'.repeat(64) as ContainerId;
const other = 'b'.repeat(64) as ContainerId;
const identity = { pid: 7, startTicks: 1, bootId: 'boot' };
const task: TaskRecord = {
  id,
  runtimeName: 'crun',
  init: identity,
  monitor: identity,
  startedAt: '2026-01-01T00:00:00Z',
};
const exit: TaskExit = {
  exitCode: 3,
  finishedAt: '2026-01-01T00:00:01Z',
  oomKilled: false,
  lost: false,
};
const last = { exitCode: 4, startedAt: '', finishedAt: '', oomKilled: false, error: '' };
const live = { task, network: undefined };
const now = '2026-01-02T00:00:00Z';

function plan(status: ContainerStatus, observation: TaskObservation) {
  return planRecovery({
    damagedIds: [],
    documents: [{ id, status, hostConfig: {} } as ContainerDocument],
    tasks: new Map([[id, observation]]),
    taskIds: [],
    sandboxIds: [],
    snapshotKeys: [id],
    volumes: [],
    isNewMachine: true,
    now,
  });
}

const running: TaskObservation = { state: 'running', record: task };
const absent: TaskObservation = { state: 'absent' };
const lost = { exitCode: 255, finishedAt: now, oomKilled: false, lost: true };

const TABLE = [
  [
    'a running container whose process lives is adopted',
    { state: 'running', ...live },
    running,
    { do: 'adopt', id, task },
  ],
  [
    'a running container with an exit file has exited',
    { state: 'running', ...live },
    { state: 'exited', exit },
    { do: 'settle', id, exit },
  ],
  [
    'a running container without any trace was lost',
    { state: 'running', ...live },
    absent,
    { do: 'settle', id, exit: lost },
  ],
  [
    'a stop under way goes on',
    { state: 'stopping', ...live },
    running,
    { do: 'finish-stop', id, task },
  ],
  [
    'a stop that succeeded meanwhile is recorded',
    { state: 'stopping', ...live },
    { state: 'exited', exit },
    { do: 'settle', id, exit },
  ],
  [
    'an interrupted start with a process is undone',
    { state: 'starting', before: 'created' },
    running,
    { do: 'undo-start', id, task },
  ],
  [
    'an interrupted start without a process is undone',
    { state: 'starting', before: 'created' },
    absent,
    { do: 'undo-start', id, task: undefined },
  ],
  [
    'an interrupted removal is finished',
    { state: 'removing', last },
    absent,
    { do: 'finish-removal', id, exitCode: 4 },
  ],
] as const satisfies readonly (readonly [string, ContainerStatus, TaskObservation, object])[];

for (const [name, status, observation, action] of TABLE) {
  test(name, () => assert.deepEqual(plan(status, observation), [action]));
}

test('a paused container is frozen for certain and adopted, unless its pause was to pass by itself', () => {
  const adopt = { do: 'adopt', id, task };
  const paused = { state: 'paused', ...live } as const;
  assert.deepEqual(plan(paused, running), [{ do: 'freeze', id, task }, adopt]);
  assert.deepEqual(plan({ ...paused, passing: true }, running), [{ do: 'thaw', id, task }, adopt]);
});

test('a container at rest needs nothing', () => {
  assert.deepEqual(plan({ state: 'created' }, absent), []);
  assert.deepEqual(plan({ state: 'exited', last }, absent), []);
});

test('a restart that was waited for is waited for again', () => {
  assert.deepEqual(plan({ state: 'restarting', last }, absent), [
    { do: 'resume-restart', id, delayMs: 0 },
  ]);
});

test('a container at rest is started when its policy says so', () => {
  const planFor = (Name: string, hasBeenManuallyStopped: boolean) =>
    planRecovery({
      damagedIds: [],
      documents: [
        {
          id,
          status: { state: 'exited', last },
          hostConfig: { RestartPolicy: { Name } },
          hasBeenManuallyStopped,
        } as ContainerDocument,
      ],
      tasks: new Map(),
      taskIds: [id],
      sandboxIds: [],
      snapshotKeys: [id],
      volumes: [],
      isNewMachine: true,
      now,
    });
  const start = [
    { do: 'discard-task', id },
    { do: 'start-by-policy', id },
  ];
  assert.deepEqual(planFor('always', true), start);
  assert.deepEqual(planFor('unless-stopped', false), start);
  assert.deepEqual(planFor('unless-stopped', true), start.slice(0, 1));
  assert.deepEqual(planFor('on-failure', false), start.slice(0, 1));
});

test('what belongs to no document is discarded', () => {
  const actions = planRecovery({
    damagedIds: [],
    documents: [],
    tasks: new Map(),
    taskIds: [other],
    sandboxIds: [other],
    snapshotKeys: [other],
    volumes: [],
    isNewMachine: true,
    now,
  });
  assert.deepEqual(
    actions.map((action) => action.do),
    ['discard-task', 'discard-sandbox', 'discard-snapshot'],
  );
});

test('runtime files of a container at rest are discarded but its snapshot stays', () => {
  const actions = planRecovery({
    damagedIds: [],
    documents: [{ id, status: { state: 'exited', last }, hostConfig: {} } as ContainerDocument],
    tasks: new Map(),
    taskIds: [id],
    sandboxIds: [id],
    snapshotKeys: [id],
    volumes: [],
    isNewMachine: true,
    now,
  });
  assert.deepEqual(actions, [
    { do: 'discard-task', id },
    { do: 'discard-sandbox', id },
  ]);
});

test('a volume goes with the container that never came to be, and stays with one that did', () => {
  const volumes = [
    { name: 'stranded', madeFor: other },
    { name: 'needed', madeFor: id },
  ];
  const document = { id, status: { state: 'created' }, hostConfig: {} } as ContainerDocument;
  const rest = {
    tasks: new Map(),
    taskIds: [],
    sandboxIds: [],
    snapshotKeys: [id],
    isNewMachine: true,
    now,
  };
  assert.deepEqual(planRecovery({ documents: [document], damagedIds: [], volumes, ...rest }), [
    { do: 'discard-volume', name: 'stranded' },
    { do: 'keep-volume', name: 'needed' },
  ]);
});

test('the file system of a mounted image goes with its container', () => {
  const document = { id, status: { state: 'created' }, hostConfig: {} } as ContainerDocument;
  const actions = planRecovery({
    documents: [document],
    damagedIds: [],
    tasks: new Map(),
    taskIds: [],
    sandboxIds: [],
    snapshotKeys: [id, `${id}.0`, `${other}.1`],
    volumes: [],
    isNewMachine: false,
    now,
  });
  assert.deepEqual(actions, [{ do: 'discard-snapshot', key: `${other}.1` }]);
});

test('nothing is taken from a container whose document cannot be read', () => {
  const actions = planRecovery({
    documents: [],
    damagedIds: [id],
    tasks: new Map(),
    taskIds: [id],
    sandboxIds: [id],
    snapshotKeys: [id],
    volumes: [{ name: 'v', madeFor: id }],
    isNewMachine: false,
    now,
  });
  assert.deepEqual(actions, [{ do: 'keep-volume', name: 'v' }]);
});
