/** What every task observer must do. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TaskObserver } from '../../src/runtime/task-observer.ts';
import type { TaskRecord } from '../../src/runtime/task-runner.ts';
import { eventually } from '../support/eventually.ts';
import { execRequest, type TaskRig, TaskStarter, WITHIN } from './task-rig.ts';

/** Tasks, and an observer that looks at them. */
export interface ObservedRig {
  readonly rig: TaskRig;
  readonly observer: TaskObserver;
}

/** Runs the suite against the observer of `makeRig`. `options` are those of the whole suite (a skip). */
export function testTaskObserverContract(
  name: string,
  makeRig: () => Promise<ObservedRig>,
  options: { readonly skip?: string | false } = {},
): void {
  describe(`${name} as a task observer`, options, () => {
    let made: ObservedRig;
    const tasks = new TaskStarter(() => made.rig);

    before(async () => {
      made = await makeRig();
    });
    after(async () => {
      await tasks.end();
      await made.rig.close();
    });

    describe('processes', () => testProcesses(() => made, tasks));
    describe('measurements', () => testMeasurements(() => made, tasks));
  });
}

function testProcesses(made: () => ObservedRig, tasks: TaskStarter): void {
  const pidsOf = async (record: TaskRecord) => {
    const { titles, processes } = await made().observer.listProcesses(record, ['-eo', 'pid,args']);
    assert.deepEqual(titles, ['PID', 'COMMAND']);
    return processes.map(([pid]) => Number(pid));
  };

  it('lists the process of a task and those of its sessions while they run, and no others', async () => {
    const { programs, runner } = made().rig;
    const { request, record } = await tasks.start(programs.sleeps());
    await tasks.start(programs.sleeps());
    assert.deepEqual(await pidsOf(record), [record.init.pid]);
    const session = await runner.exec({
      ...execRequest(request, programs.sleeps()),
      detached: true,
    });
    await eventually(async () => (await pidsOf(record)).length === 2, WITHIN);
    await session.kill();
    await session.exit;
    await eventually(async () => (await pidsOf(record)).length === 1, WITHIN);
  });

  it('refuses a table without pids, and passes on what ps complains of', async () => {
    const { record } = await tasks.start(made().rig.programs.sleeps());
    const list = (...psArgs: readonly string[]) => made().observer.listProcesses(record, psArgs);
    await assert.rejects(list('-eo', 'args'), { kind: 'invalid-argument' });
    await assert.rejects(list('--no-such-flag'), { kind: 'internal' });
  });

  it('says that a task has ended', async () => {
    const { record } = await tasks.start(made().rig.programs.exits(3));
    await made().rig.runner.waitExit(record);
    await assert.rejects(made().observer.measure(record), { kind: 'conflict' });
    await assert.rejects(made().observer.listProcesses(record, []), { kind: 'conflict' });
  });
}

function testMeasurements(made: () => ObservedRig, tasks: TaskStarter): void {
  it('measures counters that never fall, memory within its limit, and threads', async () => {
    const { record } = await tasks.start(made().rig.programs.sleeps());
    const first = await made().observer.measure(record);
    const { cpu, memory, pids } = await made().observer.measure(record);
    assert.ok(cpu.totalNs >= first.cpu.totalNs && cpu.machineNs >= first.cpu.machineNs);
    assert.ok(cpu.onlineCpus > 0);
    assert.ok(memory.usageBytes > 0 && memory.usageBytes < memory.limitBytes);
    assert.equal(pids.current, 1);
  });

  it('answers many at once as it answers one', async () => {
    const { programs } = made().rig;
    const started = await Promise.all([1, 2, 3].map(() => tasks.start(programs.sleeps())));
    const asked = [...started, ...started].map(({ record }) => made().observer.measure(record));
    const counts = (await Promise.all(asked)).map(({ pids }) => pids.current);
    assert.deepEqual(counts, [1, 1, 1, 1, 1, 1]);
  });
}
