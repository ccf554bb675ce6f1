/**
 * Exec sessions: extra processes in running containers. The runtime starts the process detached and ends; this
 * program is set up to inherit such orphans, so it is told their exit codes by the kernel, and no process of the
 * runtime stays beside the session.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { constants as osConstants } from 'node:os';
import type { Failpoints } from '../../shared/failpoints.ts';
import type { ProcessExit, SpawnOptions, StdioSlot } from '../../sys/exec/command.ts';
import { watchExit } from '../../sys/exec/exit-watch.ts';
import { reapOrphans } from '../../sys/exec/reap-orphans.ts';
import {
  type ChildProcessHandle,
  spawnInOuterNetwork,
  spawnProcess,
} from '../../sys/exec/spawn.ts';
import { becomeSubreaper } from '../../sys/libc.ts';
import type { RuntimePaths } from '../../sys/paths.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { encodeSpec } from '../bundle/encode-spec.ts';
import { type EmulatedLimits, limitProcess } from '../limits/emulated-limits.ts';
import { execFailed, noTerminal, taskGone } from '../runtime-errors.ts';
import { parseRuntimeFailure } from '../runtimes/parse-failure.ts';
import type { UsableRuntime } from '../runtimes/usable-runtime.ts';
import type { ExecHandle, ExecRequest, OutputChunk } from '../task-runner.ts';
import { openConsoleSocket } from './console-socket.ts';
import { mergeOutput } from './merge-output.ts';
import { pipeStdin } from './pipe-stdin.ts';
import { PtyConnection } from './pty-connection.ts';
import { type SessionFiles, sessionFiles } from './session-files.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
/** What Docker reports when the exit code of a process is unknown. */
const EXIT_CODE_UNKNOWN = 255;

/** A request with the limits that no control group will set on the session's process. */
export interface LimitedExec extends ExecRequest {
  readonly limits: EmulatedLimits;
  /** The container is in the network that the engine was started in, and the session as well. */
  readonly hostNetwork: boolean;
}

/** What sessions are launched with. */
export interface ExecLauncherOptions {
  readonly paths: RuntimePaths;
  readonly failpoints: Failpoints;
  /** Receives failures of clean-up. */
  readonly report: (error: unknown) => void;
}

export class ExecLauncher {
  readonly #paths: RuntimePaths;
  readonly #failpoints: Failpoints;
  readonly #report: (error: unknown) => void;
  #inheritsOrphans = false;
  /** Sessions whose process may exist already and is not watched yet. */
  #launching = 0;

  constructor({ paths, failpoints, report }: ExecLauncherOptions) {
    this.#paths = paths;
    this.#failpoints = failpoints;
    this.#report = report;
  }

  /**
   * Resolves when the process runs. Rejects with Docker's text and `details.exitCode` when it cannot be started,
   * with `conflict` when the container has gone.
   */
  async launch(request: LimitedExec, runtime: UsableRuntime): Promise<ExecHandle> {
    this.#inheritOrphans();
    const files = sessionFiles(this.#paths.container(request.containerId).dir, request.id);
    this.#launching += 1;
    try {
      await writeProcess(request, files);
      this.#failpoints.hit('exec-start:after-files');
      const session = { request, runtime, files };
      const handle = request.process.terminal
        ? await this.#withTerminal(session)
        : await this.#withPipes(session);
      this.#failpoints.hit('exec-start:after-process');
      handle.exit.then(() => this.#bury(), this.#report);
      return handle;
    } finally {
      this.#launching -= 1;
      this.#bury();
      this.#discard(files);
    }
  }

  /**
   * A runtime that fails leaves us the process it could not start, and a session in the host's pid namespace leaves
   * us its orphans. While a session is being launched nobody can tell these from the session's own process.
   */
  #bury(): void {
    if (this.#launching === 0) reapOrphans();
  }

  async #withPipes({ request, runtime, files }: Session): Promise<ExecHandle> {
    const command = execCommand({ request, runtime, files }, []);
    const child = await spawnerOf(request)(command, spawnOptions(request, stdioOf(request)));
    const stdin = request.attachStdin && !request.detached ? child.writable(STDIN) : undefined;
    try {
      const pid = await startedPid(child, request, files);
      const exit = exitCodeOf(pid);
      // Nobody reads what is written after the end; an unread pipe of ours would only keep descriptors.
      exit.then(() => stdin?.destroy(), this.#report);
      return {
        pid,
        exit,
        output: request.detached ? nothing() : mergeOutput(outputOf(child)),
        ...(stdin === undefined ? {} : { stdin: pipeStdin(stdin) }),
        resize: () => Promise.resolve(),
        kill: killer(pid, exit),
      };
    } catch (error) {
      stdin?.destroy();
      if (!request.detached) destroyAll(outputOf(child));
      throw error;
    }
  }

  async #withTerminal(session: Session): Promise<ExecHandle> {
    const { request, files } = session;
    const socket = openConsoleSocket(this.#paths.root);
    try {
      const command = execCommand(session, ['--console-socket', socket.path]);
      const stdio = ['ignore', 'ignore', 'ignore'] as const;
      const child = await spawnerOf(request)(command, spawnOptions(request, stdio));
      const pid = await startedPid(child, request, files);
      const master = await socket.receive();
      if (master === undefined) throw noTerminal();
      return this.#terminalHandle(pid, request, new PtyConnection(master));
    } finally {
      socket.close();
    }
  }

  #terminalHandle(pid: number, request: ExecRequest, terminal: PtyConnection): ExecHandle {
    const exit = exitCodeOf(pid);
    exit.then(() => terminal.finish(), this.#report);
    const output = terminal.output();
    // Without a client the terminal is still emptied: a full one would stop the process.
    if (request.detached) drain(output).catch(this.#report);
    return {
      pid,
      exit,
      output: request.detached ? nothing() : output,
      ...(request.attachStdin && !request.detached ? { stdin: terminal } : {}),
      resize: async (size) => terminal.resize(size),
      kill: killer(pid, exit),
    };
  }

  #inheritOrphans(): void {
    if (!this.#inheritsOrphans) becomeSubreaper();
    this.#inheritsOrphans = true;
  }

  /** In the background: the session does not need them any more. */
  #discard(files: SessionFiles): void {
    const removals = Object.values(files).map((path: string) => rm(path, { force: true }));
    Promise.all(removals).catch(this.#report);
  }
}

interface Session {
  readonly request: LimitedExec;
  readonly runtime: UsableRuntime;
  readonly files: SessionFiles;
}

async function writeProcess(request: ExecRequest, files: SessionFiles): Promise<void> {
  const { process: spec, terminalSize: size } = request;
  const consoleSize =
    size === undefined ? {} : { consoleSize: { height: size.rows, width: size.columns } };
  try {
    await writeFile(files.process, encodeSpec({ ...spec, ...consoleSize }), { mode: 0o600 });
  } catch (error) {
    throw isMissing(error) ? taskGone(request.containerId) : error;
  }
}

function execCommand({ request, runtime, files }: Session, options: readonly string[]) {
  const log = [`--log=${files.log}`, '--log-format=json'];
  const where = ['--process', files.process, '--pid-file', files.pid];
  return runtime.command(...log, 'exec', '--detach', ...where, ...options, request.containerId);
}

function spawnerOf({ hostNetwork }: LimitedExec) {
  return hostNetwork ? spawnInOuterNetwork : spawnProcess;
}

function spawnOptions({ limits }: LimitedExec, stdio: readonly StdioSlot[]): SpawnOptions {
  const { cpus } = limits;
  return { stdio, detached: true, ...(cpus === undefined ? {} : { cpus }) };
}

function stdioOf(request: ExecRequest): readonly StdioSlot[] {
  if (request.detached) return ['ignore', 'ignore', 'ignore'];
  return [request.attachStdin ? 'pipe-in' : 'ignore', 'pipe-out', 'pipe-out'];
}

function outputOf(child: ChildProcessHandle) {
  return { stdout: child.readable(STDOUT), stderr: child.readable(STDERR) };
}

function destroyAll(streams: ReturnType<typeof outputOf>): void {
  streams.stdout.destroy();
  streams.stderr.destroy();
}

/** The runtime ends with code 0 once the process runs, and has then written its pid. */
async function startedPid(
  child: ChildProcessHandle,
  request: LimitedExec,
  files: SessionFiles,
): Promise<number> {
  // Set on the runtime at once, niceness is inherited; a runtime with many threads may not hand it on.
  await limitProcess(child.pid, request.limits);
  const { exitCode } = await child.exited;
  const pid = Number.parseInt(await textOf(files.pid), 10);
  if (exitCode === 0 && pid > 0) {
    await limitProcess(pid, request.limits);
    return pid;
  }
  const program = request.process.args[0] ?? '';
  throw execFailed(parseRuntimeFailure(await textOf(files.log), { operation: 'exec', program }));
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** The process is our child since its runtime ended: it stays a zombie until this has seen its exit. */
async function exitCodeOf(pid: number): Promise<number> {
  const exit = await watchExit(pid).ended;
  return exit === undefined ? EXIT_CODE_UNKNOWN : toExitCode(exit);
}

/** Until its exit was seen the process keeps its pid: nobody else's can be hit. */
function killer(pid: number, exit: Promise<number>): ExecHandle['kill'] {
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
  };
  exit.then(end, end);
  return async () => {
    if (!hasEnded) process.kill(pid, 'SIGKILL');
  };
}

function toExitCode({ exitCode, signal }: ProcessExit): number {
  if (exitCode !== null) return exitCode;
  const number = Object.entries(osConstants.signals).find(([name]) => name === signal)?.[1] ?? 0;
  return 128 + number;
}

async function drain(output: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of output);
}

async function* nothing(): AsyncGenerator<OutputChunk> {
  yield* [];
}
