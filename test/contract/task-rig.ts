/** What the contract suite of task runners needs of an implementation, and its own helpers. */
import type { LogReader } from '../../src/runtime/log-reader.ts';
import type {
  ExecHandle,
  ExecRequest,
  TaskRecord,
  TaskRequest,
  TaskRunner,
} from '../../src/runtime/task-runner.ts';
import { type ContainerId, newContainerId, newExecId } from '../../src/shared/ids.ts';
import { eventually } from '../support/eventually.ts';

/** Argument lists of programs that behave as named. */
export interface TaskPrograms {
  exits(code: number): readonly string[];
  prints(stdout: string, stderr: string): readonly string[];
  /** Prints `ready`, then runs until the signal comes and exits with the code. */
  exitsOnSignal(signal: number, code: number): readonly string[];
  /** Prints `ROWS COLUMNS` of its terminal for every line of input. */
  printsSizes(): readonly string[];
  copiesInput(): readonly string[];
  sleeps(): readonly string[];
  missing(): readonly string[];
}

/** A runner with all that a test needs around it. */
export interface TaskRig {
  readonly runner: TaskRunner;
  readonly logs: LogReader;
  readonly programs: TaskPrograms;
  /** A complete request for a process with these arguments. */
  request(id: ContainerId, args: readonly string[]): TaskRequest;
  /** A second runner on the same state: the engine after a restart. */
  reopen(): TaskRunner;
  close(): Promise<void>;
}

const SIGKILL = 9;
/** How long tests wait for what must come. */
export const WITHIN = { withinMs: 10_000 };

type Options = Partial<
  Pick<TaskRequest, 'terminal' | 'terminalSize' | 'openStdin' | 'stdinOnce' | 'runtimeName'>
>;

/** Starts tasks of a rig, and ends what a test left running. */
export class TaskStarter {
  readonly #rig: () => TaskRig;
  readonly #started: TaskRecord[] = [];

  constructor(rig: () => TaskRig) {
    this.#rig = rig;
  }

  request(args: readonly string[], options: Options = {}): TaskRequest {
    return { ...this.#rig().request(newContainerId(), args), ...options };
  }

  async start(args: readonly string[], options: Options = {}) {
    const request = this.request(args, options);
    const record = await this.#rig().runner.start(request);
    this.#started.push(record);
    return { request, record };
  }

  async end(): Promise<void> {
    const { runner } = this.#rig();
    for (const record of this.#started.splice(0)) {
      await runner.signal(record, SIGKILL).catch(() => undefined);
      await runner.waitExit(record);
      await runner.remove(record.id);
    }
  }

  async outputOf({ logPath }: TaskRequest): Promise<{ stdout: string; stderr: string }> {
    const text = { stdout: '', stderr: '' };
    for await (const batch of this.#rig().logs.read({ logPath })) {
      for (const { stream, data } of batch) text[stream] += Buffer.from(data).toString('latin1');
    }
    return text;
  }

  async untilPrinted(request: TaskRequest, text: string): Promise<void> {
    await eventually(async () => {
      const { stdout } = await this.outputOf(request);
      return stdout.includes(text);
    }, WITHIN);
  }
}

/** A request for a session in a task. */
export function execRequest(
  { id, runtimeName, spec }: TaskRequest,
  args: readonly string[],
  options: Partial<Pick<ExecRequest, 'attachStdin' | 'detached' | 'terminalSize'>> & {
    terminal?: boolean;
  } = {},
): ExecRequest {
  const { terminal = false, ...rest } = options;
  return {
    id: newExecId(),
    containerId: id,
    runtimeName,
    process: { ...spec.process, terminal, args },
    attachStdin: false,
    detached: false,
    ...rest,
  };
}

/** Everything that a session prints. */
export async function execOutput(handle: ExecHandle): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const { stream, data } of handle.output) text[stream] += Buffer.from(data).toString();
  return text;
}
