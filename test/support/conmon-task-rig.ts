/** Real tasks, for the contract suites that need some. */
import type { ContainerId } from '../../src/shared/ids.ts';
import type { TaskPrograms, TaskRig } from '../contract/task-rig.ts';
import { makeRuntimeRig } from './runtime-rig.ts';

const shell = (script: string) => ['sh', '-c', script];

const programs: TaskPrograms = {
  exits: (code) => shell(`exit ${code}`),
  prints: (stdout, stderr) => [
    'sh',
    '-c',
    'printf %s "$1"; printf %s "$2" >&2',
    '-',
    stdout,
    stderr,
  ],
  exitsOnSignal: (signal, code) =>
    shell(`trap 'exit ${code}' ${signal}; echo ready; while :; do sleep 0.05; done`),
  printsSizes: () => shell('while read line; do stty size; done'),
  copiesInput: () => ['cat'],
  sleeps: () => ['sleep', '1000'],
  missing: () => ['nosuch'],
};

/** A runner of conmon with one of the runtimes. */
export async function conmonTaskRig(runtimeName: string): Promise<TaskRig> {
  const rig = await makeRuntimeRig((error) => {
    throw error;
  });
  const { rootfsDir } = rig;
  const base = await rig.specs.build({
    id: 'any',
    config: { Cmd: ['true'], Env: ['PATH=/bin'] },
    hostConfig: {},
    rootfsDir,
    network: { kind: 'host' },
    mounts: [],
    hostname: 'test',
  });
  return {
    runner: rig.makeRunner(),
    reopen: rig.makeRunner,
    logs: rig.logs,
    programs,
    request: (id: ContainerId, args) => ({
      id,
      runtimeName,
      rootfsDir,
      logPath: rig.logPath(id),
      terminal: false,
      openStdin: false,
      stdinOnce: false,
      resources: {},
      spec: { ...base, process: { ...base.process, args } },
    }),
    close: async () => rig[Symbol.asyncDispose](),
  };
}
