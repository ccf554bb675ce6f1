import { testTaskRunnerContract } from '../contract/task-runner.ts';
import { requires } from '../support/capabilities.ts';
import { conmonTaskRig } from '../support/conmon-task-rig.ts';

for (const runtimeName of ['crun', 'runc'] as const) {
  testTaskRunnerContract(
    `ConmonTaskRunner with ${runtimeName}`,
    () => conmonTaskRig(runtimeName),
    requires('conmon', 'busybox', runtimeName),
  );
}
