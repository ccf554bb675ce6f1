import { fakeTaskRig } from '../support/fake-task-rig.ts';
import { testTaskRunnerContract } from './task-runner.ts';

testTaskRunnerContract('FakeTaskRunner', () => fakeTaskRig());
