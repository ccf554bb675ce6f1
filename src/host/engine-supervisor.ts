/** Keeps one engine running: starts it, watches it, starts it again when it ends by itself. */
import type { Clock } from '../shared/clock.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Command, ProcessExit } from '../sys/exec/command.ts';
import { type ChildProcessHandle, spawnProcess } from '../sys/exec/spawn.ts';
import { identifySync, isAlive, type ProcessIdentity } from '../sys/proc/process-identity.ts';
import { endProcess, endsWithin, whenEnded } from './process-end.ts';

/** What the supervisor needs and whom it tells. */
export interface EngineSupervisorOptions {
  /** The engine's command, inside the machine. */
  readonly command: Command;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A new engine process runs. Awaited before anything else happens to it. */
  readonly onStarted: (process: ProcessIdentity) => Promise<void>;
  /** It ended by itself. Answers whether to start another one. */
  readonly onEnded: (how: string) => 'restart' | 'give-up';
}

const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;
/** An engine that ran this long was healthy: the next failure is a new story. */
const HEALTHY_MS = 30_000;
const KILL_GRACE_MS = 2_000;

/** One engine at a time. */
export class EngineSupervisor {
  readonly #options: EngineSupervisorOptions;
  readonly #stopping = new AbortController();
  #process: ProcessIdentity | undefined;
  #restarts = 0;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: EngineSupervisorOptions) {
    this.#options = options;
  }

  /** The process that runs now. */
  get process(): ProcessIdentity | undefined {
    return this.#process;
  }

  /** How often an engine had to be started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts an engine and keeps one running until `stop`. Throws when the first one cannot even be executed. */
  async start(): Promise<void> {
    const { gone } = await this.#spawn();
    this.#loop = this.#keepRunning(gone);
  }

  /** Takes over an engine that an earlier host started; false when it has ended. */
  async adopt(process: ProcessIdentity): Promise<boolean> {
    if (!(await isAlive(process))) return false;
    this.#process = process;
    this.#loop = this.#keepRunning(whenEnded(process).then(() => 'it ended'));
    return true;
  }

  /**
   * No more restarts. `ask` tells the engine to end; after `timeoutMs` (undefined: no limit) it is killed.
   * Resolves when it has ended; false when it had to be killed.
   */
  async stop(ask: () => void, timeoutMs: number | undefined): Promise<boolean> {
    this.#stopping.abort();
    const running = this.#process;
    if (running === undefined) return true;
    ask();
    const orderly =
      timeoutMs === undefined
        ? await whenEnded(running).then(() => true)
        : await endsWithin(running, timeoutMs);
    if (!orderly) await endProcess(running, 0);
    await this.#loop;
    return orderly;
  }

  /** Ends the running engine so that the loop starts a fresh one; its containers go on. */
  async replace(): Promise<void> {
    if (this.#process !== undefined) await endProcess(this.#process, KILL_GRACE_MS);
  }

  async #keepRunning(first: Promise<string>): Promise<void> {
    let gone = first;
    let delayMs = FIRST_DELAY_MS;
    for (;;) {
      const startedAt = this.#options.clock.now();
      const how = await gone;
      this.#process = undefined;
      if (this.#stopping.signal.aborted || this.#options.onEnded(how) === 'give-up') return;
      if (this.#options.clock.now() - startedAt > HEALTHY_MS) delayMs = FIRST_DELAY_MS;
      this.#options.logger.error(`the engine ended (${how}); starting it again in ${delayMs} ms`);
      await this.#options.clock.sleep(delayMs, this.#stopping.signal);
      if (this.#stopping.signal.aborted) return;
      delayMs = Math.min(delayMs * 2, LAST_DELAY_MS);
      this.#restarts += 1;
      gone = this.#spawn().then((started) => started.gone, messageOf);
    }
  }

  /** Resolves once started; `gone` tells later how it ended. */
  async #spawn(): Promise<{ readonly gone: Promise<string> }> {
    const child = spawnProcess(this.#options.command, {
      // The engine writes to our log itself, so that nothing of it is lost when we are replaced.
      stdio: ['ignore', { fd: 2 }, { fd: 2 }],
      detached: true,
    });
    child.unref();
    const process = identifySync(child.pid);
    if (process !== undefined) {
      this.#process = process;
      await this.#options.onStarted(process);
    }
    return { gone: describeEnd(child) };
  }
}

function describeEnd(child: ChildProcessHandle): Promise<string> {
  return child.exited.then((exit: ProcessExit) =>
    exit.signal === null ? `exit code ${exit.exitCode}` : `killed by ${exit.signal}`,
  );
}
