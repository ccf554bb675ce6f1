/** A process in memory: a scripted program with stdin, output, signals and a terminal size. */
import { stdinClosed } from '../runtime-errors.ts';
import type { OutputChunk, StdinSink, TerminalSize } from '../task-runner.ts';

/** What a program can do; its return value is the exit code. */
export type FakeProgram = (process: ProgramView) => Promise<number>;

/** The process as its program sees it. */
export interface ProgramView {
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  /** Chunks of stdin until it is closed. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Prints, and waits while the process is paused. */
  print(stream: OutputChunk['stream'], text: string | Uint8Array): Promise<void>;
  /** Handles a signal instead of ignoring it. */
  onSignal(signal: number, handler: () => void): void;
  size(): TerminalSize | undefined;
}

const SIGKILL = 9;

export interface FakeProcessOptions {
  readonly args: readonly string[];
  readonly terminalSize: TerminalSize | undefined;
  readonly onOutput: (chunk: OutputChunk) => void;
  /** No stdin at all reads as closed. */
  readonly hasInput: boolean;
}

export class FakeProcess {
  readonly exit: Promise<number>;
  readonly #handlers = new Map<number, () => void>();
  readonly #input = new FakeInput();
  #size: TerminalSize | undefined;
  #paused: Promise<void> = Promise.resolve();
  #resume: () => void = () => undefined;
  #kill: (exitCode: number) => void = () => undefined;
  #hasEnded = false;

  constructor(program: FakeProgram, options: FakeProcessOptions) {
    this.#size = options.terminalSize;
    if (!options.hasInput) this.#input.close();
    const killed = new Promise<number>((resolve) => {
      this.#kill = resolve;
    });
    this.exit = Promise.race([program(this.#view(options)), killed]).finally(() => {
      this.#hasEnded = true;
      this.#input.close();
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  signal(signal: number): void {
    if (signal === SIGKILL) this.#kill(128 + SIGKILL);
    else this.#handlers.get(signal)?.();
  }

  pause(): void {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume();
  }

  resize(size: TerminalSize): void {
    this.#size = size;
  }

  /** A connection to stdin. `closes`: whether its `end` is the end for the process too. */
  stdin(closes: boolean): StdinSink {
    return {
      write: async (chunk) => {
        if (this.#hasEnded) throw stdinClosed(undefined);
        this.#input.push(chunk);
      },
      end: async () => {
        if (closes) this.#input.close();
      },
      detach: () => Promise.resolve(),
    };
  }

  #view({ args, onOutput }: FakeProcessOptions): ProgramView {
    return {
      args: args.slice(1),
      input: this.#input,
      print: async (stream, text) => {
        await this.#paused;
        const data = typeof text === 'string' ? Buffer.from(text) : text;
        if (!this.#hasEnded) onOutput({ stream, data });
      },
      onSignal: (signal, handler) => this.#handlers.set(signal, handler),
      size: () => this.#size,
    };
  }
}

/** Chunks handed over one by one, in order. */
class FakeInput implements AsyncIterable<Uint8Array> {
  readonly #chunks: Uint8Array[] = [];
  #closed = false;
  #wake: () => void = () => undefined;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#closed) return;
      else await this.#changed();
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
