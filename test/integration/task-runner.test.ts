import type { ContainerId } from '../../src/shared/ids.ts';
import type { TaskPrograms, TaskRig } from '../contract/task-rig.ts';
import { testTaskRunnerContract } from '../contract/task-runner.ts';
import { requires } from '../support/capabilities.ts';
import { makeRuntimeRig } from '../support/runtime-rig.ts';

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

async function makeRig(runtimeName: string): Promise<TaskRig> {
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

for (const runtimeName of ['crun', 'runc'] as const) {
  testTaskRunnerContract(
    `ConmonTaskRunner with ${runtimeName}`,
    () => makeRig(runtimeName),
    requires('conmon', 'busybox', runtimeName),
  );
}
