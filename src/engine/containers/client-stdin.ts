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

/**
 * Calls are carried out one after another: the end of a client's input may be noticed while its last bytes are
 * still being handed over. Writes wait until the process runs, so that a client cannot fill memory before.
 */
export class ClientStdin implements StdinSink {
  readonly #options: ClientStdinOptions;
  readonly #scanner: DetachKeyScanner;
  #tail: Promise<unknown> = Promise.resolve();
  #sink: Promise<StdinSink | undefined> | undefined;
  #finished = false;

  constructor(options: ClientStdinOptions) {
    this.#options = options;
    this.#scanner = new DetachKeyScanner(options.detachKeys);
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#finished) return;
      const { forward, detached } = this.#scanner.scan(chunk);
      if (forward.length > 0) await (await this.#connection())?.write(forward);
      if (!detached) return;
      await this.#letGo();
      this.#options.onDetach();
    });
  }

  end(): Promise<void> {
    return this.#inOrder(() => this.#finish());
  }

  detach(): Promise<void> {
    return this.#inOrder(() => this.#letGo());
  }

  /** The client is gone: its input has ended whether it said so or not. */
  release(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.#sink === undefined) this.#finished = true;
      else await this.#finish();
    });
  }

  async #finish(): Promise<void> {
    if (this.#finished) return;
    if (!this.#options.closesProcess) return await this.#letGo();
    this.#finished = true;
    await (await this.#connection())?.end();
  }

  async #letGo(): Promise<void> {
    if (this.#finished) return;
    this.#finished = true;
    await (await this.#sink)?.detach();
  }

  #connection(): Promise<StdinSink | undefined> {
    this.#sink ??= this.#options.connect();
    return this.#sink;
  }

  #inOrder(step: () => Promise<void>): Promise<void> {
    const job = this.#tail.then(step);
    this.#tail = job.catch(() => undefined);
    return job;
  }
}
