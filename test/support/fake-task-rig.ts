/** Tasks in memory, for the contract suites that need some. */
import { FakeTaskRunner, FakeTaskWorld } from '../../src/runtime/fake/fake-task-runner.ts';
import type { ContainerId } from '../../src/shared/ids.ts';
import type { TaskPrograms, TaskRig } from '../contract/task-rig.ts';

const programs: TaskPrograms = {
  exits: (code) => ['exit', String(code)],
  prints: (stdout, stderr) => ['print', stdout, stderr],
  exitsOnSignal: (signal, code) => ['on-signal', String(signal), String(code)],
  printsSizes: () => ['sizes'],
  copiesInput: () => ['cat'],
  sleeps: () => ['sleep'],
  missing: () => ['nosuch'],
};

/** A runner of scripted programs. */
export async function fakeTaskRig(world = new FakeTaskWorld()): Promise<TaskRig> {
  const rootfsDir = '/rootfs';
  return {
    runner: new FakeTaskRunner(world),
    reopen: () => new FakeTaskRunner(world),
    logs: world.logs,
    programs,
    request: (id: ContainerId, args) => ({
      id,
      runtimeName: 'crun',
      rootfsDir,
      logPath: `/logs/${id}`,
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      resources: {},
      spec: {
        ociVersion: '1.0.2',
        process: { terminal: false, user: { uid: 0, gid: 0 }, args, env: [], cwd: '/' },
        root: { path: rootfsDir },
        mounts: [],
        linux: { namespaces: [] },
      },
    }),
    close: () => Promise.resolve(),
  };
}
