/** A task observer that looks at the scripted programs of a fake world. */
import { noPidColumn, psFailed, taskGone } from '../runtime-errors.ts';
import type { ProcessTable, TaskObserver, TaskUsage } from '../task-observer.ts';
import type { TaskRecord } from '../task-runner.ts';
import type { FakeTaskWorld } from './fake-task-runner.ts';

/** The columns that this `ps` knows, by their name in `-o`. */
const COLUMNS: Readonly<Record<string, string>> = { pid: 'PID', args: 'COMMAND' };
const PROCESS_BYTES = 4096;
const MACHINE_BYTES = 1 << 30;

export class FakeTaskObserver implements TaskObserver {
  readonly #world: FakeTaskWorld;
  #nowNs = 0;

  constructor(world: FakeTaskWorld) {
    this.#world = world;
  }

  async listProcesses(record: TaskRecord, psArgs: readonly string[]): Promise<ProcessTable> {
    const processes = this.#processes(record);
    const [flag = '-eo', columns = 'pid,args'] = psArgs;
    const names = columns.split(',');
    const titles = names.flatMap((name) => COLUMNS[name] ?? []);
    if (flag !== '-eo' || titles.length < names.length) throw psFailed('unknown option');
    if (!titles.includes('PID')) throw noPidColumn();
    const rows = processes.map(({ pid, args }) =>
      names.map((name) => (name === 'pid' ? String(pid) : args.join(' '))),
    );
    return { titles, processes: rows };
  }

  /** No fake task has a control group: nothing is ever called. */
  watchMemory(): Promise<void> {
    return Promise.resolve();
  }

  async measure(record: TaskRecord): Promise<TaskUsage> {
    const current = this.#processes(record).length;
    this.#nowNs += 1;
    return {
      cpu: {
        ...{ totalNs: this.#nowNs, userNs: this.#nowNs, kernelNs: 0, machineNs: this.#nowNs },
        onlineCpus: 1,
        throttling: { periods: 0, throttledPeriods: 0, throttledNs: 0 },
      },
      memory: { usageBytes: current * PROCESS_BYTES, limitBytes: MACHINE_BYTES, parts: {} },
      pids: { current },
      blockDevices: [],
      networks: {},
    };
  }

  /** The task's process and those of its sessions. `conflict` when the task has ended. */
  #processes(record: TaskRecord): readonly { pid: number; args: readonly string[] }[] {
    const task = this.#world.tasks.get(record.id);
    if (task === undefined || task.process.hasEnded) throw taskGone(record.id);
    const { args } = task.request.spec.process;
    const sessions = task.sessions.filter(({ process }) => !process.hasEnded);
    return [{ pid: record.init.pid, args }, ...sessions];
  }
}
