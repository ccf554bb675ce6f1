/** A process in memory: a few programs that are enough to see bytes, ends and signals travel. */
import type { LogEntry } from '../../src/runtime/log-reader.ts';
import type { OutputChunk, StdinSink } from '../../src/runtime/task-runner.ts';
import { EngineError } from '../../src/shared/errors.ts';

/** Chunks a slow reader may leave unread before writers have to wait. */
const CAPACITY = 4;

/** A reader's view of the output. */
class OutputQueue implements AsyncIterable<OutputChunk> {
  readonly #waiting: OutputChunk[] = [];
  readonly #writers: (() => void)[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  /** Resolves once the reader is not too far behind. */
  async push(chunk: OutputChunk): Promise<void> {
    if (this.#closed) return;
    this.#waiting.push(chunk);
    this.#wake?.();
    if (this.#waiting.length > CAPACITY) {
      await new Promise<void>((resolve) => this.#writers.push(resolve));
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    for (const writer of this.#writers.splice(0)) writer();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<OutputChunk> {
    while (true) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        this.#writers.shift()?.();
        yield chunk;
      } else if (this.#closed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/**
 * Programs: `true`, `exit N`, `echo WORDS`, `err WORDS` (to stderr), `cat` (stdin to stdout), `count` (stdin's
 * length, told at its end), `boom` (output that breaks), anything else runs until it is killed.
 */
export class FakeProcess {
  readonly log: LogEntry[] = [];
  readonly exit: Promise<number>;
  readonly stdin: StdinSink;
  readonly #queues = new Set<OutputQueue>();
  readonly #args: readonly string[];
  #finish: (code: number) => void = () => undefined;
  #ended = false;
  #stdinBytes = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
    this.exit = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.stdin = {
      write: (chunk) => this.#onStdin(chunk),
      end: () => this.#onStdinEnd(),
      detach: () => Promise.resolve(),
    };
  }

  /** Readers of the output right now. */
  get readerCount(): number {
    return this.#queues.size;
  }

  /** Lets the program run. Subscribe before, to see everything. */
  async run(): Promise<void> {
    const [program, ...words] = this.#args;
    switch (program) {
      case 'true':
        return this.end(0);
      case 'exit':
        return this.end(Number(words[0]));
      case 'echo':
        await this.write('stdout', Buffer.from(`${words.join(' ')}\n`));
        return this.end(0);
      case 'err':
        await this.write('stderr', Buffer.from(`${words.join(' ')}\n`));
        return this.end(0);
      default:
    }
  }

  /** Output from now on. */
  subscribe(): { output: AsyncIterable<OutputChunk>; close(): void } {
    const queue = new OutputQueue();
    if (this.#ended) queue.close();
    else this.#queues.add(queue);
    const close = () => {
      this.#queues.delete(queue);
      queue.close();
    };
    return { output: this.#args[0] === 'boom' ? breaking() : queue, close };
  }

  /** Output to everybody who listens, and to the log. */
  async write(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    this.log.push({ time: '2024-05-06T07:08:09.123456789+00:00', stream, data });
    await this.#send(stream, data);
  }

  async #send(stream: 'stdout' | 'stderr', data: Uint8Array): Promise<void> {
    await Promise.all([...this.#queues].map((queue) => queue.push({ stream, data })));
  }

  end(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const queue of this.#queues) queue.close();
    this.#finish(code);
  }

  async #onStdin(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw new EngineError('conflict', 'the process has ended');
    this.#stdinBytes += chunk.length;
    // Not logged: tests send a lot.
    if (this.#args[0] === 'cat') await this.#send('stdout', Uint8Array.from(chunk));
  }

  async #onStdinEnd(): Promise<void> {
    if (this.#args[0] === 'count') {
      await this.write('stdout', Buffer.from(`${this.#stdinBytes} bytes\n`));
      this.end(0);
    }
    if (this.#args[0] === 'cat') this.end(0);
  }
}

async function* breaking(): AsyncGenerator<OutputChunk> {
  yield { stream: 'stdout', data: Buffer.from('before\n') };
  throw new Error('the log went away');
}
