import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readExit } from '../../src/runtime/monitor/task-exit.ts';
import { taskFiles } from '../../src/runtime/monitor/task-files.ts';
import { ProcTaskObserver } from '../../src/runtime/observe/proc-task-observer.ts';
import type { TaskRecord, TaskRunner } from '../../src/runtime/task-runner.ts';
import { newContainerId, newExecId } from '../../src/shared/ids.ts';
import { runtimePaths } from '../../src/sys/paths.ts';
import { testTaskObserverContract } from '../contract/task-observer.ts';
import { requires } from '../support/capabilities.ts';
import { conmonTaskRig } from '../support/conmon-task-rig.ts';
import { eventually } from '../support/eventually.ts';
import { makeRuntimeRig, type RuntimeRig } from '../support/runtime-rig.ts';

testTaskObserverContract(
  'ProcTaskObserver',
  async () => ({ rig: await conmonTaskRig('crun'), observer: new ProcTaskObserver() }),
  requires('conmon', 'busybox', 'crun'),
);

describe('the task observer', requires('conmon', 'busybox', 'crun'), () => {
  const observer = new ProcTaskObserver();
  const started: TaskRecord[] = [];
  let rig: RuntimeRig;
  let runner: TaskRunner;

  before(async () => {
    rig = await makeRuntimeRig((error) => {
      throw error;
    });
    runner = rig.makeRunner();
  });
  after(async () => {
    for (const task of started) {
      await runner.signal(task, 9).catch(() => undefined);
      await runner.waitExit(task);
      await runner.remove(task.id);
    }
    await rig[Symbol.asyncDispose]();
  });

  const start = async (script: string): Promise<TaskRecord> => {
    const id = newContainerId();
    const { rootfsDir } = rig;
    const spec = await rig.specs.build({
      id,
      config: { Cmd: ['sh', '-c', script], Env: ['PATH=/bin'] },
      hostConfig: {},
      rootfsDir,
      network: { kind: 'host' },
      mounts: [],
      hostname: 'test',
    });
    const stdio = { terminal: false, openStdin: false, stdinOnce: false };
    const logPath = rig.logPath(id);
    const place = { id, runtimeName: 'crun', rootfsDir, logPath, resources: {} };
    const task = await runner.start({ ...place, ...stdio, spec });
    started.push(task);
    return task;
  };

  const commandsOf = async (task: TaskRecord) => {
    const { titles, processes } = await observer.listProcesses(task, ['-eo', 'pid,args']);
    assert.deepEqual(titles, ['PID', 'COMMAND']);
    return processes.map(([, command]) => command);
  };

  it('lists the processes of a task and of its sessions, and no others', async () => {
    const task = await start('sleep 1001 & sleep 1002 & wait');
    await start('exec sleep 1003');
    const session = await runner.exec({
      id: newExecId(),
      containerId: task.id,
      runtimeName: 'crun',
      process: {
        terminal: false,
        user: { uid: 0, gid: 0 },
        args: ['sleep', '1004'],
        env: ['PATH=/bin'],
        cwd: '/',
      },
      attachStdin: false,
      detached: true,
    });
    await eventually(async () => {
      const commands = await commandsOf(task);
      assert.deepEqual(commands.filter((one) => one?.startsWith('sleep')).toSorted(), [
        'sleep 1001',
        'sleep 1002',
        'sleep 1004',
      ]);
      assert.equal(commands.length, 4);
      return true;
    });
    await session.kill();
    await session.exit;
    await eventually(async () => !(await commandsOf(task)).includes('sleep 1004'));
  });

  it('measures processor time that grows with work, memory, and threads', async () => {
    const idle = await start('exec sleep 1000');
    const busy = await start('while :; do :; done');
    const first = await observer.measure(busy);
    await eventually(async () => {
      const { cpu } = await observer.measure(busy);
      return cpu.totalNs - first.cpu.totalNs > 50_000_000 && cpu.machineNs > first.cpu.machineNs;
    });
    const { cpu, memory, pids, networks } = await observer.measure(idle);
    assert.ok(cpu.totalNs < 1_000_000_000 && cpu.onlineCpus > 0);
    assert.ok(memory.usageBytes > 0 && memory.usageBytes < memory.limitBytes);
    assert.equal(pids.current, 1);
    assert.deepEqual(networks, {}, 'the traffic of the engine’s own namespace is not the task’s');
  });
});

describe('what a monitor leaves of an ended task', () => {
  const withFiles = async (test: (files: ReturnType<typeof taskFiles>) => Promise<void>) => {
    const root = await mkdtemp(join(tmpdir(), 'wherry-exit-'));
    try {
      const files = taskFiles(runtimePaths(root), newContainerId());
      await mkdir(files.dir, { recursive: true });
      await mkdir(join(files.exitFile, '..'), { recursive: true });
      await test(files);
    } finally {
      await rm(root, { recursive: true });
    }
  };

  it('is nothing while the task runs', () =>
    withFiles(async (files) => assert.equal(await readExit(files), undefined)));

  it('is the exit code, and the time of its file as the time of the end', () =>
    withFiles(async (files) => {
      await writeFile(files.exitFile, '143');
      const end = new Date('2026-01-02T03:04:05.500Z');
      await utimes(files.exitFile, end, end);
      assert.deepEqual(await readExit(files), {
        exitCode: 143,
        finishedAt: '2026-01-02T03:04:05.500000000Z',
        oomKilled: false,
        lost: false,
      });
    }));

  it('tells of a kill for want of memory by a marker', () =>
    withFiles(async (files) => {
      await writeFile(files.exitFile, '137');
      await writeFile(files.oomMarker, '');
      const exit = await readExit(files);
      assert.deepEqual([exit?.exitCode, exit?.oomKilled], [137, true]);
    }));
});
