import { FakeTaskObserver } from '../../src/runtime/fake/fake-task-observer.ts';
import { FakeTaskWorld } from '../../src/runtime/fake/fake-task-runner.ts';
import { fakeTaskRig } from '../support/fake-task-rig.ts';
import { testTaskObserverContract } from './task-observer.ts';

testTaskObserverContract('FakeTaskObserver', async () => {
  const world = new FakeTaskWorld();
  return { rig: await fakeTaskRig(world), observer: new FakeTaskObserver(world) };
});
