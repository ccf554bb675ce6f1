/** Tasks watched by conmon and run by an OCI runtime. */
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import type { ContainerId } from '../../shared/ids.ts';
import { KeyedMutex } from '../../shared/keyed-mutex.ts';
import type { RuntimePaths } from '../../sys/paths.ts';
import { isAlive } from '../../sys/proc/process-identity.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import type { Resources } from '../../wire/container-config.ts';
import { SeccompFilters } from '../crun/seccomp-filters.ts';
import { ExecLauncher } from '../exec/exec-launcher.ts';
import type { LimitSupport } from '../limit-support.ts';
import type { ContainerGroups } from '../limits/container-groups.ts';
import {
  type EmulatedLimits,
  emulatedLimits,
  limitMembers,
  limitsOfProcess,
} from '../limits/emulated-limits.ts';
import { cannotFreeze, noStdin, taskGone, taskStillRunning } from '../runtime-errors.ts';
import type { RuntimeTable } from '../runtimes/runtime-table.ts';
import { openMonitorStdin } from '../stdio/monitor-stdin.ts';
import { sendTerminalSize } from '../stdio/terminal-control.ts';
import type {
  ExecHandle,
  ExecRequest,
  StdinSink,
  TaskExit,
  TaskObservation,
  TaskRecord,
  TaskRequest,
  TaskRunner,
  TerminalSize,
} from '../task-runner.ts';
import { findMonitored } from './find-monitor.ts';
import { continueProcesses, stopProcesses } from './freeze-processes.ts';
import { type StartDeps, startTask } from './start-task.ts';
import { readExit, untilEnded } from './task-exit.ts';
import type { TaskFiles } from './task-files.ts';
import { readTaskNote } from './task-note.ts';
import { TaskStore } from './task-store.ts';

/** What the runner is made of. */
export interface ConmonTaskRunnerOptions {
  readonly paths: RuntimePaths;
  readonly runtimes: RuntimeTable;
  readonly clock: Clock;
  /** Name or path of conmon. Default: `conmon` on the search path. */
  readonly monitorProgram?: string;
  /** The control groups of tasks; absent when they have none. */
  readonly groups?: ContainerGroups;
  /** Which limits can be set. */
  readonly support: LimitSupport;
  readonly failpoints: Failpoints;
  /** Receives failures of undoing. */
  readonly report: (error: unknown) => void;
}

/** What Docker stores for a process whose end nobody saw. */
const EXIT_CODE_LOST = 255;
const SHARES_STAY =
  'The running container keeps its niceness until its next start: lowering it takes a privilege.';
/** How long `remove` waits for a task that was just killed, and then for its monitor to write its last output. */
const MOST_DYING_MS = 5_000;
const MOST_DRAINING_MS = 30_000;

export class ConmonTaskRunner implements TaskRunner {
  readonly #options: ConmonTaskRunnerOptions;
  readonly #store: TaskStore;
  readonly #execs: ExecLauncher;
  readonly #start: StartDeps;
  /** A task's files are made and removed by one at a time. */
  readonly #fileLocks = new KeyedMutex<ContainerId>();

  constructor(options: ConmonTaskRunnerOptions) {
    this.#options = options;
    this.#store = new TaskStore(options.paths, options.runtimes, options.groups);
    this.#execs = new ExecLauncher(options);
    this.#start = {
      store: this.#store,
      clock: options.clock,
      monitorProgram: options.monitorProgram ?? 'conmon',
      filters: new SeccompFilters(),
      groups: options.groups,
      support: options.support,
      failpoints: options.failpoints,
      report: options.report,
    };
  }

  async start(request: TaskRequest): Promise<TaskRecord> {
    const runtime = await this.#options.runtimes.resolve(request.runtimeName);
    return await this.#fileLocks.run(request.id, () => startTask(this.#start, request, runtime));
  }

  async observe(id: ContainerId, record: TaskRecord | undefined): Promise<TaskObservation> {
    const files = this.#store.files(id);
    const exit = await this.#exitOf(id);
    if (exit !== undefined) return { state: 'exited', exit: notBeforeStart(exit, record) };
    const known = record ?? (await noteOf(files))?.record ?? (await this.#adopt(id, files));
    if (known === undefined) return { state: 'absent' };
    if (await isAlive(known.monitor)) return { state: 'running', record: known };
    const last = (await this.#exitOf(id)) ?? (await this.#lost(known));
    return { state: 'exited', exit: notBeforeStart(last, known) };
  }

  async waitExit(record: TaskRecord): Promise<TaskExit> {
    const early = await this.#exitOf(record.id);
    if (early === undefined) await untilEnded(record.monitor);
    const exit = early ?? (await this.#exitOf(record.id)) ?? (await this.#lost(record));
    return notBeforeStart(exit, record);
  }

  async signal(record: TaskRecord, signal: number): Promise<void> {
    if (!(await isAlive(record.init))) throw taskGone(record.id);
    try {
      process.kill(record.init.pid, signal);
    } catch (error) {
      throw errnoCode(error) === 'ESRCH' ? taskGone(record.id) : error;
    }
  }

  async limit(record: TaskRecord, resources: Resources): Promise<readonly string[]> {
    if (!(await isAlive(record.init))) throw taskGone(record.id);
    const group = await this.#store.groupOf(record.id);
    if (group !== undefined) await this.#options.groups?.limit(group, resources);
    const emulated = emulatedLimits(resources, this.#options.support);
    const isComplete = await limitMembers(record.init.pid, emulated);
    return isComplete ? [] : [SHARES_STAY];
  }

  async pause(record: TaskRecord): Promise<void> {
    if (!(await isAlive(record.init))) throw taskGone(record.id);
    if (await this.#freeze(record, true)) return;
    if (await stopProcesses(record.init.pid)) return;
    await continueProcesses(record.init.pid);
    throw cannotFreeze(record.id);
  }

  async resume(record: TaskRecord): Promise<void> {
    if (!(await isAlive(record.init))) throw taskGone(record.id);
    if (await this.#freeze(record, false)) return;
    await continueProcesses(record.init.pid);
  }

  async resize(record: TaskRecord, size: TerminalSize): Promise<void> {
    const sent = sendTerminalSize(this.#store.files(record.id).controlFifo, size);
    if (!sent) throw taskGone(record.id);
  }

  async openStdin(record: TaskRecord): Promise<StdinSink> {
    const files = this.#store.files(record.id);
    const note = await readTaskNote(files.task);
    if (note === undefined) throw taskGone(record.id);
    if (note.stdin === 'none') throw noStdin(record.id);
    return openMonitorStdin(files.attachSocket, note.stdin === 'once');
  }

  async exec(request: ExecRequest): Promise<ExecHandle> {
    const runtime = await this.#options.runtimes.resolve(request.runtimeName);
    const note = await noteOf(this.#store.files(request.containerId));
    const limits = note === undefined ? {} : await this.#limitsToInherit(note.record);
    const hostNetwork = note?.hostNetwork === true;
    return await this.#execs.launch({ ...request, limits, hostNetwork }, runtime);
  }

  remove(id: ContainerId): Promise<void> {
    return this.#fileLocks.run(id, async () => {
      const note = await noteOf(this.#store.files(id));
      if (note !== undefined && !(await endsSoon(note.record))) throw taskStillRunning(id);
      await this.#store.remove(id, note?.record.runtimeName);
    });
  }

  list(): Promise<readonly ContainerId[]> {
    return this.#store.list();
  }

  /** How the task ended, once its monitor has written it down. */
  async #exitOf(id: ContainerId): Promise<TaskExit | undefined> {
    const exit = await readExit(this.#store.files(id));
    const group = exit === undefined ? undefined : await this.#store.groupOf(id);
    if (exit === undefined || group === undefined) return exit;
    // The monitor may have ended before it was told.
    const kills = (await this.#options.groups?.oomKills(group)) ?? 0;
    return { ...exit, oomKilled: exit.oomKilled || kills > 0 };
  }

  /** Freezes or thaws the task's group; false when it has none that can be frozen. */
  async #freeze(record: TaskRecord, frozen: boolean): Promise<boolean> {
    const { groups, support } = this.#options;
    const group = support.freezer ? await this.#store.groupOf(record.id) : undefined;
    if (group === undefined) return false;
    await groups?.freeze(group, frozen);
    return true;
  }

  /** What a group would do for a process that joins the task. */
  async #limitsToInherit({ init }: TaskRecord): Promise<EmulatedLimits> {
    const { cpu, cpuset } = this.#options.support;
    return cpu && cpuset ? {} : await limitsOfProcess(init.pid);
  }

  /** The task of an engine that died between creating the container and writing its note. */
  async #adopt(id: ContainerId, files: TaskFiles): Promise<TaskRecord | undefined> {
    if (!(await this.#store.list()).includes(id)) return undefined;
    const found = await findMonitored(files);
    if (found === undefined) return undefined;
    const startedAt = this.#options.clock.nowIso();
    // Which runtime it was is written nowhere; only the control groups of one that makes them could be left.
    return { id, runtimeName: this.#options.runtimes.names()[0] ?? '', ...found, startedAt };
  }

  /** The monitor was killed: nobody reads the container's output any more or will know its exit code. */
  async #lost(record: TaskRecord): Promise<TaskExit> {
    if (await isAlive(record.init)) process.kill(record.init.pid, 'SIGKILL');
    await untilEnded(record.init);
    const finishedAt = this.#options.clock.nowIso();
    return { exitCode: EXIT_CODE_LOST, finishedAt, oomKilled: false, lost: true };
  }
}

/** An unreadable note is as good as none: what it would name is found by looking. */
async function noteOf(files: TaskFiles) {
  return await readTaskNote(files.task).catch(() => undefined);
}

/** False for a task that runs on; one that was just killed is seen to its grave. */
async function endsSoon({ init, monitor }: TaskRecord): Promise<boolean> {
  if (!(await isAlive(monitor))) return true;
  const hasEnded = await within(MOST_DYING_MS, untilEnded(init));
  return hasEnded && (await within(MOST_DRAINING_MS, untilEnded(monitor)));
}

/** Whether `ended` resolves in time. */
async function within(limitMs: number, ended: Promise<void>): Promise<boolean> {
  const deadline = new AbortController();
  const late = systemClock.sleep(limitMs, deadline.signal).then(() => false);
  try {
    return await Promise.race([ended.then(() => true), late]);
  } finally {
    deadline.abort();
  }
}

/** Times of files are those of the last timer tick: a short run would seem to end before its start. */
function notBeforeStart(exit: TaskExit, record: TaskRecord | undefined): TaskExit {
  const startedAt = record?.startedAt ?? '';
  return exit.finishedAt < startedAt ? { ...exit, finishedAt: startedAt } : exit;
}
