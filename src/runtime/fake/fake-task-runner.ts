/** A task runner without processes: tasks are scripted programs in memory. */
import { systemClock } from '../../shared/clock.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ProcessIdentity } from '../../sys/proc/process-identity.ts';
import type { Resources } from '../../wire/container-config.ts';
import { createFailed, execFailed, noStdin, taskGone, unknownRuntime } from '../runtime-errors.ts';
import type {
  ExecHandle,
  ExecRequest,
  OutputChunk,
  StdinSink,
  TaskExit,
  TaskObservation,
  TaskRecord,
  TaskRequest,
  TaskRunner,
  TerminalSize,
} from '../task-runner.ts';
import { FakeLogs } from './fake-logs.ts';
import { FakeProcess, type FakeProgram } from './fake-process.ts';
import { FAKE_PROGRAMS } from './fake-programs.ts';

/** An exec session in a task. */
interface FakeSession {
  readonly pid: number;
  readonly args: readonly string[];
  readonly process: FakeProcess;
}

interface FakeTask {
  readonly record: TaskRecord;
  readonly request: TaskRequest;
  readonly process: FakeProcess;
  readonly ended: Promise<TaskExit>;
  readonly sessions: FakeSession[];
  exit: TaskExit | undefined;
  resources: Resources;
}

/** What outlives a runner: the tasks themselves and their logs. */
export class FakeTaskWorld {
  readonly tasks = new Map<ContainerId, FakeTask>();
  readonly logs = new FakeLogs();
  readonly runtimeNames: readonly string[];
  readonly programs: Readonly<Record<string, FakeProgram>>;
  #pids = 1000;

  /** `programs` by first argument; `runtimeNames` that tasks may name. */
  constructor(programs = FAKE_PROGRAMS, runtimeNames: readonly string[] = ['crun', 'runc']) {
    this.programs = programs;
    this.runtimeNames = runtimeNames;
  }

  /** A process id nobody had. */
  nextIdentity(): ProcessIdentity {
    this.#pids += 1;
    return { pid: this.#pids, startTicks: this.#pids, bootId: 'fake' };
  }
}

/** Several runners on one world are one engine restarted. */
export class FakeTaskRunner implements TaskRunner {
  readonly #world: FakeTaskWorld;

  constructor(world: FakeTaskWorld) {
    this.#world = world;
  }

  async start(request: TaskRequest): Promise<TaskRecord> {
    const { id, runtimeName, logPath } = request;
    if (!this.#world.runtimeNames.includes(runtimeName)) throw unknownRuntime(runtimeName);
    const program = this.#program(request.spec.process.args);
    if (program === undefined) throw createFailed(notFound(request.spec.process.args));
    const process = new FakeProcess(program, {
      args: request.spec.process.args,
      terminalSize: request.terminalSize,
      hasInput: request.openStdin,
      onOutput: (chunk) =>
        this.#world.logs.append(logPath, { ...chunk, time: systemClock.nowIso() }),
    });
    const record: TaskRecord = {
      id,
      runtimeName,
      init: this.#world.nextIdentity(),
      monitor: this.#world.nextIdentity(),
      startedAt: systemClock.nowIso(),
    };
    const task: FakeTask = {
      record,
      request,
      process,
      exit: undefined,
      sessions: [],
      ended: end(process),
      resources: request.resources,
    };
    this.#world.tasks.set(id, task);
    task.ended.then(
      (exit) => {
        task.exit = exit;
      },
      () => undefined,
    );
    return record;
  }

  async observe(id: ContainerId): Promise<TaskObservation> {
    const task = this.#world.tasks.get(id);
    if (task === undefined) return { state: 'absent' };
    if (task.exit !== undefined) return { state: 'exited', exit: task.exit };
    return { state: 'running', record: task.record };
  }

  async waitExit(record: TaskRecord): Promise<TaskExit> {
    const task = this.#world.tasks.get(record.id);
    if (task !== undefined) return await task.ended;
    return { exitCode: 255, finishedAt: systemClock.nowIso(), oomKilled: false, lost: true };
  }

  async signal(record: TaskRecord, signal: number): Promise<void> {
    this.#running(record).process.signal(signal);
  }

  async limit(record: TaskRecord, resources: Resources): Promise<readonly string[]> {
    this.#running(record).resources = resources;
    return [];
  }

  async pause(record: TaskRecord): Promise<void> {
    this.#running(record).process.pause();
  }

  async resume(record: TaskRecord): Promise<void> {
    this.#running(record).process.resume();
  }

  async resize(record: TaskRecord, size: TerminalSize): Promise<void> {
    this.#running(record).process.resize(size);
  }

  async openStdin(record: TaskRecord): Promise<StdinSink> {
    const { process, request } = this.#running(record);
    if (!request.openStdin) throw noStdin(record.id);
    return process.stdin(request.stdinOnce && !request.terminal);
  }

  async exec(request: ExecRequest): Promise<ExecHandle> {
    const task = this.#world.tasks.get(request.containerId);
    if (task === undefined || task.process.hasEnded) throw taskGone(request.containerId);
    const { args } = request.process;
    const program = this.#program(args);
    if (program === undefined) throw execFailed(notFound(args));
    const output = new FakeOutput();
    const process = new FakeProcess(program, {
      args,
      terminalSize: request.terminalSize,
      hasInput: request.attachStdin,
      onOutput: (chunk) => output.push(chunk),
    });
    process.exit.then(
      () => output.close(),
      () => output.close(),
    );
    if (request.detached) output.close();
    const { pid } = this.#world.nextIdentity();
    task.sessions.push({ pid, args, process });
    return {
      pid,
      output,
      exit: process.exit,
      ...(request.attachStdin ? { stdin: process.stdin(true) } : {}),
      resize: async (size) => process.resize(size),
      kill: async () => process.signal(9),
    };
  }

  async remove(id: ContainerId): Promise<void> {
    this.#world.tasks.delete(id);
  }

  async list(): Promise<readonly ContainerId[]> {
    return [...this.#world.tasks.keys()];
  }

  #program([name = '']: readonly string[]): FakeProgram | undefined {
    return this.#world.programs[name];
  }

  #running(record: TaskRecord): FakeTask {
    const task = this.#world.tasks.get(record.id);
    if (task === undefined || task.process.hasEnded) throw taskGone(record.id);
    return task;
  }
}

async function end(process: FakeProcess): Promise<TaskExit> {
  const exitCode = await process.exit;
  return { exitCode, finishedAt: systemClock.nowIso(), oomKilled: false, lost: false };
}

function notFound([name = '']: readonly string[]) {
  const text = `unable to start container process: exec: "${name}": executable file not found in $PATH`;
  return { text, exitCode: 127 } as const;
}

/** Output that waits for its reader. */
class FakeOutput implements AsyncIterable<OutputChunk> {
  readonly #chunks: OutputChunk[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  push(chunk: OutputChunk): void {
    if (!this.#closed) this.#chunks.push(chunk);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#closed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
