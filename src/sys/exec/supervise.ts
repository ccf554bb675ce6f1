/** Helpers that run beside us: ready when they say so, gone when we stop them or end. */
import { closeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipe } from '../libc.ts';
import type { Command, ProcessExit, StdioSlot } from './command.ts';
import { helperNotReady } from './exec-errors.ts';
import { traceFinished } from './process-settings.ts';
import { type ChildProcessHandle, spawnProcess } from './spawn.ts';
import { terminate } from './terminate.ts';

/** How a helper tells that it is ready. */
export interface ReadySignal {
  /** Descriptor of the helper on which it writes. */
  readonly fd: number;
  /** Whether the first bytes are enough (default) or a whole line is meant. */
  readonly until?: 'first-bytes' | 'line';
}

/** How a helper is started, watched and stopped. */
export interface SuperviseOptions {
  /** Absent: the helper counts as ready once it executes. */
  readonly ready?: ReadySignal;
  /** Descriptor of the helper that gets the read end of a pipe of ours: it reads EOF when we are gone. */
  readonly exitFd?: number;
  /** Descriptors 0, 1, 2 …; default: nothing in, error output kept for messages, the rest dropped. */
  readonly stdio?: readonly StdioSlot[];
  readonly detached?: boolean;
  /** Called once when the helper ends by itself; never for a stop of ours. */
  readonly onExit?: (exit: ProcessExit) => void;
  readonly startTimeoutMs: number;
  /** Between the polite signal and the kill. */
  readonly stopTimeoutMs: number;
}

/** A running helper. */
export interface Helper {
  readonly pid: number;
  /** What it wrote to the ready descriptor; empty without one. */
  readonly readyText: string;
  readonly exited: Promise<ProcessExit>;
  /** The latest error output (up to 4 KiB), where it goes to a pipe of ours. */
  recentOutput(): string;
  /** Ends the helper and resolves when it has. `onExit` is not called. Idempotent. */
  stop(): Promise<void>;
  /** Lets this program end before the helper does. */
  unref(): void;
}

const DEFAULT_STDIO: readonly StdioSlot[] = ['ignore', 'ignore', 'pipe-out'];
const KEPT_OUTPUT_BYTES = 4096;

/**
 * Starts a helper and waits until it is ready. Rejects with `unavailable` (and the helper's error output) when it
 * ends first or lets `startTimeoutMs` pass; it has ended then.
 */
export async function supervise(command: Command, options: SuperviseOptions): Promise<Helper> {
  const exitPipe = options.exitFd === undefined ? undefined : pipe();
  const helper = startHelper(command, options, exitPipe);
  const failure = await helper.untilReady();
  if (failure === undefined) return helper;
  const output = helper.recentOutput();
  await helper.stop();
  throw helperNotReady(command, failure, output);
}

function startHelper(
  command: Command,
  options: SuperviseOptions,
  exitPipe: { read: number; write: number } | undefined,
): SupervisedHelper {
  try {
    const child = spawnProcess(command, {
      stdio: stdioOf(options, exitPipe?.read),
      detached: options.detached === true,
    });
    return new SupervisedHelper({ command, child, options, exitWriteFd: exitPipe?.write });
  } catch (error) {
    if (exitPipe !== undefined) closeSync(exitPipe.write);
    throw error;
  } finally {
    if (exitPipe !== undefined) closeSync(exitPipe.read);
  }
}

function stdioOf(options: SuperviseOptions, exitReadFd: number | undefined): readonly StdioSlot[] {
  const slots = [...(options.stdio ?? DEFAULT_STDIO)];
  const place = (fd: number, slot: StdioSlot) => {
    while (slots.length <= fd) slots.push('ignore');
    slots[fd] = slot;
  };
  if (options.ready !== undefined) place(options.ready.fd, 'pipe-out');
  if (options.exitFd !== undefined && exitReadFd !== undefined)
    place(options.exitFd, { fd: exitReadFd });
  return slots;
}

interface HelperParts {
  readonly command: Command;
  readonly child: ChildProcessHandle;
  readonly options: SuperviseOptions;
  readonly exitWriteFd: number | undefined;
}

class SupervisedHelper implements Helper {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  readyText = '';
  readonly #parts: HelperParts;
  readonly #startedAt = performance.now();
  #output = Buffer.alloc(0);
  #exitWriteFd: number | undefined;
  #expected = true;

  constructor(parts: HelperParts) {
    this.#parts = parts;
    this.#exitWriteFd = parts.exitWriteFd;
    this.pid = parts.child.pid;
    this.exited = parts.child.exited;
    this.#keepOutput();
    this.exited.then((exit) => this.#ended(exit)).catch(() => undefined);
  }

  /** Undefined once ready, otherwise why it is not. */
  async untilReady(): Promise<string | undefined> {
    const { ready, startTimeoutMs } = this.#parts.options;
    if (ready !== undefined) {
      const stream = this.#parts.child.readable(ready.fd);
      const failure = await this.#awaitReadyText(stream, ready, startTimeoutMs);
      stream.destroy();
      if (failure !== undefined) return failure;
    }
    this.#expected = false;
    return undefined;
  }

  recentOutput(): string {
    return this.#output.toString('utf8');
  }

  async stop(): Promise<void> {
    this.#expected = true;
    this.#closeExitPipe();
    await terminate(this.#parts.child, this.#parts.options.stopTimeoutMs);
  }

  unref(): void {
    this.#parts.child.unref();
  }

  #awaitReadyText(
    stream: Readable,
    ready: ReadySignal,
    timeoutMs: number,
  ): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(`not ready within ${timeoutMs} ms`), timeoutMs);
      const settle = (failure: string | undefined) => {
        clearTimeout(timer);
        resolve(failure);
      };
      stream.on('data', (chunk: Buffer) => {
        this.readyText += chunk.toString('utf8');
        if (ready.until !== 'line' || this.readyText.includes('\n')) settle(undefined);
      });
      // Without a message, the end of the descriptor means nothing by itself: the exit or the deadline decides.
      stream.once('end', () => {
        if (this.readyText !== '') settle(undefined);
      });
      this.exited.then((exit) => settle(describeExit(exit))).catch(() => undefined);
    });
  }

  /** Reads the error output for as long as the helper lives, or a full pipe would stop it. */
  #keepOutput(): void {
    const { stdio = DEFAULT_STDIO } = this.#parts.options;
    for (const slot of [1, 2]) {
      if (stdio[slot] !== 'pipe-out' || slot === this.#parts.options.ready?.fd) continue;
      this.#parts.child.readable(slot).on('data', (chunk: Buffer) => {
        this.#output = Buffer.concat([this.#output, chunk]).subarray(-KEPT_OUTPUT_BYTES);
      });
    }
  }

  #ended(exit: ProcessExit): void {
    this.#closeExitPipe();
    const { command, options } = this.#parts;
    const durationMs = performance.now() - this.#startedAt;
    traceFinished({ argv: [command.file, ...command.args], pid: this.pid, durationMs, ...exit });
    if (!this.#expected) options.onExit?.(exit);
  }

  #closeExitPipe(): void {
    if (this.#exitWriteFd !== undefined) closeSync(this.#exitWriteFd);
    this.#exitWriteFd = undefined;
  }
}

function describeExit(exit: ProcessExit): string {
  return exit.signal === null
    ? `it ended with exit code ${exit.exitCode}`
    : `killed by ${exit.signal}`;
}
