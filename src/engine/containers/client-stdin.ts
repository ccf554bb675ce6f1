/** A client's stdin on its way to a process that may not have started yet. */
import type { StdinSink } from '../../runtime/task-runner.ts';
import { DetachKeyScanner } from './detach-keys.ts';

export interface ClientStdinOptions {
  /** Connects once the process runs; undefined when it will not any more. */
  readonly connect: () => Promise<StdinSink | undefined>;
  /** Whether the end of the client's input closes the process's stdin (Docker's `StdinOnce`, no tty). */
  readonly closesProcess: boolean;
  /** Bytes that detach the client; empty for none. */
  readonly detachKeys: Uint8Array;
  readonly onDetach: () => void;
}

/** Writes wait until the process runs, so that a client cannot fill memory before. */
export class ClientStdin implements StdinSink {
  readonly #options: ClientStdinOptions;
  readonly #scanner: DetachKeyScanner;
  #sink: Promise<StdinSink | undefined> | undefined;
  #finished = false;

  constructor(options: ClientStdinOptions) {
    this.#options = options;
    this.#scanner = new DetachKeyScanner(options.detachKeys);
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#finished) return;
    const { forward, detached } = this.#scanner.scan(chunk);
    if (forward.length > 0) await (await this.#connection())?.write(forward);
    if (!detached) return;
    await this.detach();
    this.#options.onDetach();
  }

  async end(): Promise<void> {
    if (this.#finished) return;
    if (!this.#options.closesProcess) return await this.detach();
    this.#finished = true;
    await (await this.#connection())?.end();
  }

  async detach(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await (await this.#sink)?.detach();
  }

  /** The client is gone: its input has ended whether it said so or not. */
  async release(): Promise<void> {
    if (this.#sink === undefined) this.#finished = true;
    else await this.end();
  }

  #connection(): Promise<StdinSink | undefined> {
    this.#sink ??= this.#options.connect();
    return this.#sink;
  }
}
