/** Running programs in tests: to their end, or side by side with the test while their output is watched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { eventually } from './eventually.ts';

/** How a program is started. */
export interface CommandOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** What the program reads; nothing at all (`/dev/null`) when absent. */
  readonly stdin?: string | Buffer | Readable;
  /** Killed after this time. Default 120,000. */
  readonly timeoutMs?: number;
}

/** How a program ended. `code` is null when a signal ended it. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `argv` to its end. A non-zero exit is a result; only a program that cannot be started rejects. */
export async function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return startCommand(argv, options).ended;
}

/** Starts `argv` and returns at once. */
export function startCommand(
  [file = '', ...args]: readonly string[],
  { env, cwd, stdin, timeoutMs = 120_000 }: CommandOptions = {},
): RunningCommand {
  const child = spawn(file, args, {
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  return new RunningCommand(child, stdin);
}

/** A program that runs; killed when disposed of. */
export class RunningCommand implements AsyncDisposable {
  /** Resolves when the program has ended and its output is complete. */
  readonly ended: Promise<CommandResult>;
  readonly #child: ChildProcess;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];

  constructor(child: ChildProcess, stdin: string | Buffer | Readable | undefined) {
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => this.#stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => this.#stderr.push(chunk));
    if (child.stdin !== null && stdin !== undefined) feed(child.stdin, stdin);
    this.ended = once(child, 'close').then(([code]) => ({
      code: typeof code === 'number' ? code : null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it printed so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Resolves once `pattern` is in its standard output. */
  async printed(pattern: RegExp, withinMs = 20_000): Promise<void> {
    await eventually(() => pattern.test(this.stdout), { withinMs }).catch((cause: unknown) => {
      throw new Error(`never printed ${pattern}: ${this.stdout}${this.stderr}`, { cause });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }
}

/** A program may end before it has read everything: its broken pipe is no failure of the test. */
function feed(target: Writable, input: string | Buffer | Readable): void {
  target.on('error', () => undefined);
  if (typeof input === 'string' || Buffer.isBuffer(input)) target.end(input);
  else pipeline(input, target).catch(() => undefined);
}
