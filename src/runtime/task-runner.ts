/**
 * Port: running containers as tasks. A task is one run of a container, watched by a native monitor that
 * outlives the engine. The runner keeps no state of its own beyond the files of `taskDir`; whether an
 * action is legal is the caller's decision.
 */

import type { ExecProcess, RuntimeSpec } from '../oci/runtime-spec.ts';
import type { ContainerId, ExecId } from '../shared/ids.ts';
import type { ProcessIdentity } from '../sys/proc/process-identity.ts';
import type { Resources } from '../wire/container-config.ts';

/** Size of a terminal in character cells. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Everything the runner needs to start a container. */
export interface TaskRequest {
  readonly id: ContainerId;
  /** Name of an entry of the runtimes table (`crun`, `runc`, …). */
  readonly runtimeName: string;
  /** Absolute path of the mounted root file system; also named by `spec.root.path`. */
  readonly rootfsDir: string;
  readonly spec: RuntimeSpec;
  /** Absolute path of the log file (k8s-file format), created when missing, appended to otherwise. */
  readonly logPath: string;
  readonly terminal: boolean;
  readonly terminalSize?: TerminalSize;
  /** Whether the process gets a stdin that can be written to; `/dev/null` otherwise. */
  readonly openStdin: boolean;
  /** Whether stdin is closed once the first writer that attached has ended it (Docker's `StdinOnce`). */
  readonly stdinOnce: boolean;
  /** Limits, set before the process runs. Those that this machine cannot set have been warned of. */
  readonly resources: Resources;
}

/** The durable facts of a running task: enough for a new engine to adopt it. */
export interface TaskRecord {
  readonly id: ContainerId;
  readonly runtimeName: string;
  readonly init: ProcessIdentity;
  readonly monitor: ProcessIdentity;
  /** RFC 3339 with nanoseconds. */
  readonly startedAt: string;
}

/** How a task ended. `lost` means that monitor and process vanished without an exit file. */
export interface TaskExit {
  readonly exitCode: number;
  /** RFC 3339 with nanoseconds. */
  readonly finishedAt: string;
  readonly oomKilled: boolean;
  readonly lost: boolean;
}

/** What a restarted engine finds of a task. */
export type TaskObservation =
  | { readonly state: 'running'; readonly record: TaskRecord }
  | { readonly state: 'exited'; readonly exit: TaskExit }
  | { readonly state: 'absent' };

/** The writable end of a process's stdin. `end` closes it for the process. */
export interface StdinSink {
  /** Resolves when the bytes were handed over (back-pressure). Rejects with `conflict` once the process has gone. */
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Lets go of the connection without closing the process's stdin (a detached client). */
  detach(): Promise<void>;
}

/** One piece of output. */
export interface OutputChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** An extra process to run inside a running task. */
export interface ExecRequest {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly runtimeName: string;
  readonly process: ExecProcess;
  readonly terminalSize?: TerminalSize;
  readonly attachStdin: boolean;
  /** No stdio at all: the process goes on without us. */
  readonly detached: boolean;
}

/** A running exec session. */
export interface ExecHandle {
  /** Process id as the engine sees it. */
  readonly pid: number;
  /** Output until the process and everything holding its stdio has ended; empty for detached ones. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Absent when `attachStdin` was false. */
  readonly stdin?: StdinSink;
  /** Exit code; 128+n for a signal. */
  readonly exit: Promise<number>;
  resize(size: TerminalSize): Promise<void>;
  /** SIGKILL to the session's process. Nothing happens once it has ended. */
  kill(): Promise<void>;
}

export interface TaskRunner {
  /**
   * Creates and starts the process. When it rejects, nothing is left: no process, no bundle, no runtime state.
   * Errors carry `details.exitCode` (`127` not found, `126` not executable, else `128`, which is what
   * Docker stores) and the runtime's own message in Docker's form. Not cancellable.
   */
  start(request: TaskRequest): Promise<TaskRecord>;
  /** What is there of the task `id` now. Used by recovery; never throws for a missing task. */
  observe(id: ContainerId, record: TaskRecord | undefined): Promise<TaskObservation>;
  /**
   * Resolves when the task has ended and its log is complete. Safe to call again and after an engine restart:
   * answers from the exit file when the task has ended already.
   */
  waitExit(record: TaskRecord): Promise<TaskExit>;
  /** Sends a signal to the init process. `conflict` when it has gone. */
  signal(record: TaskRecord, signal: number): Promise<void>;
  /**
   * Sets the limits of a running task; those that are absent stay. Resolves to a sentence for each that it will have
   * only from its next start on. `invalid-argument` when the kernel refuses one, `conflict` when the task has ended.
   */
  limit(record: TaskRecord, resources: Resources): Promise<readonly string[]>;
  /** Stops all its processes, at once where the kernel has a freezer for them. */
  pause(record: TaskRecord): Promise<void>;
  resume(record: TaskRecord): Promise<void>;
  resize(record: TaskRecord, size: TerminalSize): Promise<void>;
  /** Connects to stdin. Only for tasks started with `openStdin`. */
  openStdin(record: TaskRecord): Promise<StdinSink>;
  /** Resolves when the process runs. Rejects like `start` when it cannot be started. */
  exec(request: ExecRequest): Promise<ExecHandle>;
  /** Removes the bundle, runtime state and exit file of an ended task. Idempotent. */
  remove(id: ContainerId): Promise<void>;
  /** Ids that have files in the runtime directory: for finding orphans after a crash. */
  list(): Promise<readonly ContainerId[]>;
}
