/** The side of the thread: unpacks whatever it is sent. */
import type { MessagePort } from 'node:worker_threads';
import type { LayerUnpacking, UnpackedLayer } from '../../layer-unpacker.ts';
import { TarUnpacker } from '../tar-unpacker.ts';
import { type ThreadAnswer, type ThreadRequest, toSentError } from './thread-messages.ts';

/** Answers requests until the port is closed. */
export function serveUnpacking(port: MessagePort): void {
  const server = new UnpackingServer();
  port.on('message', (request: ThreadRequest) => {
    server.answer(request).then(
      (answer) => port.postMessage(answer),
      (error: unknown) => port.postMessage({ id: request.id, error: toSentError(error) }),
    );
  });
}

class UnpackingServer {
  readonly #unpacker = new TarUnpacker();
  readonly #unpackings = new Map<number, LayerUnpacking>();
  /** What was asked last of each, so that requests are carried out one after another. */
  readonly #tails = new Map<number, Promise<unknown>>();

  async answer(request: ThreadRequest): Promise<ThreadAnswer> {
    const { id } = request;
    const before = this.#tails.get(id) ?? Promise.resolve();
    const step = before.then(() => this.#perform(request));
    // A failed step is told to who asked for it; the next one fails by itself.
    this.#tails.set(
      id,
      step.catch(() => undefined),
    );
    const unpacked = await step;
    return unpacked === undefined ? { id } : { id, unpacked };
  }

  async #perform(request: ThreadRequest): Promise<UnpackedLayer | undefined> {
    const { id } = request;
    if (request.op === 'begin') {
      this.#unpackings.set(id, this.#unpacker.begin(request.slot, request.layer));
      return undefined;
    }
    const unpacking = this.#unpackings.get(id);
    if (unpacking === undefined) return undefined;
    if (request.op === 'write') await unpacking.write(request.chunk);
    if (request.op === 'finish') return await unpacking.finish();
    if (request.op === 'abort') {
      await unpacking.abort();
      this.#unpackings.delete(id);
      this.#tails.delete(id);
    }
    return undefined;
  }
}
