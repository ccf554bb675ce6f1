/** What to execute, and what came of it. */

/** A program with its arguments. Never a shell line. */
export interface Command {
  /** An absolute path, or a name that is looked for in the `PATH` of the command's environment. */
  readonly file: string;
  /** Arguments after the program's own name. */
  readonly args: readonly string[];
  /** Added to the base environment (see `configureProcesses`); nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory; ours when absent. */
  readonly cwd?: string;
}

/** How a process ended. Exactly one of the two is null. */
export interface ProcessExit {
  readonly exitCode: number | null;
  /** `SIGTERM`, … */
  readonly signal: string | null;
}

/** A process that ended, with what it printed. */
export interface Completed extends ProcessExit {
  /** What was executed, for error messages. */
  readonly command: Command;
  readonly stdout: string;
  readonly stderr: string;
  /** True when output was longer than the cap and its middle was dropped. */
  readonly truncated: boolean;
  readonly durationMs: number;
}

/**
 * What a descriptor of the new process is connected to: nothing, a pipe that we write to (`pipe-in`) or read
 * from (`pipe-out`), or an open descriptor of ours (which stays ours to close).
 */
export type StdioSlot = 'ignore' | 'pipe-in' | 'pipe-out' | { readonly fd: number };

/** How to start a process. */
export interface SpawnOptions {
  /** Slot n becomes descriptor n of the process; everything beyond the list is closed there. */
  readonly stdio: readonly StdioSlot[];
  /** A session of its own, so that terminal signals and group kills of ours do not reach it. */
  readonly detached?: boolean;
  /**
   * Processors that the process and its children run on from its first instruction (needs native calls). The slower
   * way into the outer network does not honour it: there it is set on the running process.
   */
  readonly cpus?: readonly number[];
}
