/**
 * Our side of a process's terminal: a non-blocking master descriptor. Node's own tty streams write to masters in
 * blocking mode, so that a process which does not read would stop the whole engine.
 */
import { closeSync, readSync, writeSync } from 'node:fs';
import { setNonBlocking, setWindowSize } from '../../sys/libc.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { type DescriptorWatch, watchDescriptor } from '../../sys/watch-descriptor.ts';
import { stdinClosed } from '../runtime-errors.ts';
import type { OutputChunk, StdinSink, TerminalSize } from '../task-runner.ts';

const READ_BYTES = 32 << 10;
/** Ctrl-D: what a terminal has for an end of input (termios(3), VEOF). */
const END_OF_TRANSMISSION = Uint8Array.of(4);

/** How long output is read after the process's end while somebody else still has its terminal open. */
const OTHER_USERS_GRACE_MS = 200;

type Direction = 'readable' | 'writable';

export class PtyConnection implements StdinSink {
  readonly #fd: number;
  readonly #scratch = Buffer.alloc(READ_BYTES);
  /** Who waits for what; woken by one watch, as a descriptor can have only one. */
  readonly #waiting = new Map<Direction, () => void>();
  #watch: DescriptorWatch | undefined;
  #writes: Promise<unknown> = Promise.resolve();
  #ended = false;
  #open = true;

  /** Takes over the descriptor. */
  constructor(masterFd: number) {
    this.#fd = masterFd;
    setNonBlocking(masterFd);
  }

  /** What the terminal shows, until its last user has gone, or until `finish` and nothing is left. Call once. */
  async *output(): AsyncGenerator<OutputChunk> {
    try {
      while (this.#open) {
        const data = this.#read();
        if (data === 'end') return;
        if (data !== 'nothing-yet') yield { stream: 'stdout', data };
        else if (this.#ended) return;
        else await this.#ready('readable');
      }
    } finally {
      this.close();
    }
  }

  write(chunk: Uint8Array): Promise<void> {
    const job = this.#writes.then(() => this.#writeAll(chunk));
    this.#writes = job.catch(() => undefined);
    return job;
  }

  end(): Promise<void> {
    return this.write(END_OF_TRANSMISSION);
  }

  async detach(): Promise<void> {
    // The terminal goes with the process, not with a client.
  }

  /** Ignored after the end. */
  resize(size: TerminalSize): void {
    if (this.#open) setWindowSize(this.#fd, size);
  }

  /**
   * The process has ended. Its last output is still on its way through the kernel, and so is the hang-up that follows
   * it; both are waited for, but other users of the terminal, who put the hang-up off, only briefly.
   */
  finish(): void {
    const timer = setTimeout(() => {
      this.#ended = true;
      this.#wake('readable');
    }, OTHER_USERS_GRACE_MS);
    timer.unref();
  }

  /** Hangs up. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watch?.stop();
    this.#watch = undefined;
    closeSync(this.#fd);
    for (const wake of this.#waiting.values()) wake();
    this.#waiting.clear();
  }

  #read(): Buffer | 'nothing-yet' | 'end' {
    try {
      const length = readSync(this.#fd, this.#scratch);
      return length === 0 ? 'end' : Buffer.from(this.#scratch.subarray(0, length));
    } catch (error) {
      if (errnoCode(error) === 'EAGAIN') return 'nothing-yet';
      // Reading a master whose slaves are all closed is an input/output error.
      if (errnoCode(error) === 'EIO') return 'end';
      throw error;
    }
  }

  async #writeAll(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      if (!this.#open) throw stdinClosed(undefined);
      const written = this.#tryWrite(chunk.subarray(at));
      at += written;
      if (written === 0) await this.#ready('writable');
    }
  }

  #tryWrite(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if (errnoCode(error) === 'EAGAIN') return 0;
      throw stdinClosed(error);
    }
  }

  #ready(direction: Direction): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(direction, resolve);
      this.#rewatch();
    });
  }

  #wake(direction: Direction): void {
    const wake = this.#waiting.get(direction);
    this.#waiting.delete(direction);
    this.#rewatch();
    wake?.();
  }

  #rewatch(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    const [first, second] = this.#waiting.keys();
    if (!this.#open || first === undefined) return;
    this.#watch = watchDescriptor(this.#fd, second === undefined ? first : 'both', () => {
      // Which of the two it was does not matter: whoever was woken in vain waits again.
      for (const direction of [...this.#waiting.keys()]) this.#wake(direction);
    });
  }
}
