/** One thread that unpacks layers, from the engine's side. */
import type { Worker } from 'node:worker_threads';
import { EngineError, messageOf } from '../../../shared/errors.ts';
import type { UnpackedLayer } from '../../layer-unpacker.ts';
import { fromSentError, type ThreadAnswer, type ThreadRequest } from './thread-messages.ts';

interface Waiting {
  readonly resolve: (unpacked: UnpackedLayer | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class UnpackThread {
  readonly #worker: Worker;
  /** Requests without an answer yet, by unpacking, oldest first. */
  readonly #waiting = new Map<number, Waiting[]>();
  #death: unknown;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.unref();
    worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    worker.on('error', (error) => this.#die(error));
    worker.on('exit', () => this.#die(undefined));
  }

  /** False once the thread has ended, whatever the reason. */
  get isAlive(): boolean {
    return this.#death === undefined;
  }

  /** Sends a request; resolves with its answer. `internal` when the thread ends before. */
  ask(request: ThreadRequest): Promise<UnpackedLayer | undefined> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(request.id) ?? [];
      queue.push({ resolve, reject });
      this.#waiting.set(request.id, queue);
      // While somebody waits, the thread keeps the program alive.
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #settle(answer: ThreadAnswer): void {
    const queue = this.#waiting.get(answer.id);
    const waiting = queue?.shift();
    if (queue?.length === 0) this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in answer) waiting?.reject(fromSentError(answer.error));
    else waiting?.resolve(answer.unpacked);
  }

  #die(cause: unknown): void {
    const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
    this.#death ??= new EngineError('internal', `the thread that unpacks layers ended${why}`, {
      cause,
    });
    const left = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    for (const { reject } of left) reject(this.#death);
  }
}
