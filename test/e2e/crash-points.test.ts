import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { FAILPOINTS, type Failpoint } from '../../src/shared/failpoints.ts';
import { CrashRig, VICTIMS, type Victim } from '../support/crash/crash-rig.ts';
import { type Stage, scenarioOf } from '../support/crash/scenarios.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { StubRegistry } from '../support/stub-registry.ts';

const rig = await CrashRig.start();
const registry = await StubRegistry.start();
after(async () => {
  await rig[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

// It runs through every crash of this file.
await rig.daemon.ok('run', '-d', '--name', 'survivor', BUSYBOX, 'sleep', '10000');
const survivor = await pidOfSurvivor();

async function pidOfSurvivor(): Promise<number> {
  return (await rig.must([200], 'GET /containers/survivor/json')).State.Pid;
}

async function interrupt(point: Failpoint, victim: Victim): Promise<void> {
  const scenario = scenarioOf(point);
  const stage: Stage = { rig, registry, name: `${point.replace(':', '-')}-${victim}` };
  await scenario.prepare?.(stage);
  const answer = await rig.crashAt(point, victim, () => scenario.act(stage));
  if (victim === 'host') {
    assert.ok(answer !== undefined, 'the engine answers although its host has gone');
    assert.ok(scenario.done.includes(answer.status), `${answer.status} ${answer.body}`);
  }
  const retry = await scenario.act(stage);
  assert.ok(scenario.done.includes(retry.status), `retry: ${retry.status} ${retry.body}`);
  await scenario.check?.(stage);
  await scenario.cleanUp(stage);
}

async function assertNothingLeaked(before: readonly string[]): Promise<void> {
  await eventually(
    async () => {
      const now = await rig.inventory();
      const left = now.filter((line) => !before.includes(line));
      const lost = before.filter((line) => !now.includes(line));
      assert.deepEqual(
        { left, lost, count: now.length },
        { left: [], lost: [], count: before.length },
      );
      return true;
    },
    { withinMs: 5_000 },
  );
  assert.equal(await pidOfSurvivor(), survivor, 'other containers do not notice');
}

for (const point of FAILPOINTS) {
  for (const victim of VICTIMS) {
    test(`${point}: a crash of ${victim} loses and leaves nothing`, async () => {
      const before = await rig.inventory();
      await interrupt(point, victim);
      await assertNothingLeaked(before);
    });
  }
}
