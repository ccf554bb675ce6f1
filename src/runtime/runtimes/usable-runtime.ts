/** A runtime that has proved that it works here, and how it wants to be used. */
import { join } from 'node:path';
import type { Command } from '../../sys/exec/command.ts';
import { PINNED_ENVIRONMENT } from './pin-program.ts';
import { type FifoDialogue, START_FIFO } from './start-fifo.ts';

/** One row of the runtimes table, as configured (`--add-runtime`, `runtimes` of daemon.json). */
export interface RuntimeEntry {
  /** Absolute path, or a name that is looked for on the search path. */
  readonly path: string;
  /** Arguments that every call gets before the verb. */
  readonly args: readonly string[];
}

/** What a probe found out. */
export interface RuntimeFacts {
  /** Absolute path of the program. */
  readonly path: string;
  /** Arguments before the verb, beyond the state directory. */
  readonly args: readonly string[];
  /** How a created container is let go: through its fifo, or only by `start`. */
  readonly startBy: FifoDialogue | 'command';
  /** Whether it made a control group for the container, so that only `delete` cleans up after it. */
  readonly makesCgroups: boolean;
  /** Whether it puts the container into the control group that its configuration names. */
  readonly joinsGroups: boolean;
}

/** A runtime ready for use. */
export class UsableRuntime {
  readonly name: string;
  readonly facts: RuntimeFacts;
  readonly #stateDir: string;

  /** Absolute path of what is executed: the program, or where it is pinned. */
  readonly program: string;
  /** For every call, also by the monitor. */
  readonly environment: Readonly<Record<string, string>>;

  /**
   * `stateDir` is where this runtime keeps what it knows of its containers; `pinned` where its program is mounted
   * read-only.
   */
  constructor(name: string, facts: RuntimeFacts, place: { stateDir: string; pinned?: string }) {
    this.name = name;
    this.facts = facts;
    this.#stateDir = place.stateDir;
    this.program = place.pinned ?? facts.path;
    this.environment = place.pinned === undefined ? {} : PINNED_ENVIRONMENT;
  }

  /** Arguments before the verb. */
  get globalArgs(): readonly string[] {
    return [`--root=${this.#stateDir}`, ...this.facts.args];
  }

  /** A call of the runtime, e.g. `delete --force ID`. */
  command(...args: readonly string[]): Command {
    return {
      file: this.program,
      args: [...this.globalArgs, ...args],
      env: this.environment,
    };
  }

  /** What the runtime knows of one container. */
  containerStateDir(id: string): string {
    return join(this.#stateDir, id);
  }

  /** The fifo on which a created container waits. */
  startFifo(id: string): string {
    return join(this.containerStateDir(id), START_FIFO);
  }
}
