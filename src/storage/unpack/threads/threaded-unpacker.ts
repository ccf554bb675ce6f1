/**
 * Unpacks layers in threads of their own, several at once, so that the engine's requests do not wait for files to be
 * made. Threads are started when they are needed and end when nothing was unpacked for a while.
 */
import type { Worker } from 'node:worker_threads';
import type {
  LayerToUnpack,
  LayerUnpacker,
  LayerUnpacking,
  UnpackedLayer,
} from '../../layer-unpacker.ts';
import type { LayerSlot } from '../../snapshotter.ts';
import { TarUnpacker } from '../tar-unpacker.ts';
import { DeferredUnpacking } from './deferred-unpacking.ts';
import { UnpackThread } from './unpack-thread.ts';

export interface UnpackThreads {
  /** Starts a thread that serves unpackings (`serveUnpacking`). */
  readonly start: () => Worker;
  /** How many there are at most. */
  readonly atMost: number;
  /** Milliseconds after which an idle thread ends. */
  readonly idleMs: number;
}

/** Below so many packed bytes a layer is unpacked before a thread would have started. */
const WORTH_A_THREAD_BYTES = 32 * 1024;
/** The same for layers that are being made, which are not packed. */
const WORTH_A_THREAD_PLAIN_BYTES = 128 * 1024;
/** How many bytes may be on their way to a thread. */
const WINDOW_BYTES = 1024 * 1024;

interface BusyThread {
  readonly thread: UnpackThread;
  unpackings: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export class ThreadedUnpacker implements LayerUnpacker {
  readonly #options: UnpackThreads;
  readonly #inline = new TarUnpacker();
  #threads: BusyThread[] = [];
  #nextId = 1;

  constructor(options: UnpackThreads) {
    this.#options = options;
  }

  begin(slot: Pick<LayerSlot, 'dir' | 'whiteouts'>, layer: LayerToUnpack): LayerUnpacking {
    const { sizeBytes } = layer;
    const small = () => this.#inline.begin(slot, layer);
    const large = () => this.#beginInThread(slot, layer);
    if (sizeBytes !== undefined) return sizeBytes < WORTH_A_THREAD_BYTES ? small() : large();
    return new DeferredUnpacking({ small, large, largeBytes: WORTH_A_THREAD_PLAIN_BYTES });
  }

  /** Ends all threads. */
  async close(): Promise<void> {
    const threads = this.#threads;
    this.#threads = [];
    for (const { idleTimer } of threads) clearTimeout(idleTimer);
    await Promise.all(threads.map(({ thread }) => thread.stop()));
  }

  #beginInThread(
    { dir, whiteouts }: Pick<LayerSlot, 'dir' | 'whiteouts'>,
    layer: LayerToUnpack,
  ): LayerUnpacking {
    const busy = this.#take();
    const id = this.#nextId++;
    const unpacking = new ThreadedUnpacking(busy.thread, id, () => this.#release(busy));
    unpacking.begin({ id, op: 'begin', slot: { dir, whiteouts }, layer });
    return unpacking;
  }

  /** A thread with nothing to do, a new one while there may be more, or else the least busy one. */
  #take(): BusyThread {
    this.#threads = this.#threads.filter(({ thread }) => thread.isAlive);
    const [least] = this.#threads.toSorted((a, b) => a.unpackings - b.unpackings);
    const isFull = this.#threads.length >= this.#options.atMost;
    const busy = least !== undefined && (least.unpackings === 0 || isFull) ? least : this.#start();
    clearTimeout(busy.idleTimer);
    busy.unpackings++;
    return busy;
  }

  #start(): BusyThread {
    const thread = new UnpackThread(this.#options.start());
    const busy: BusyThread = { thread, unpackings: 0, idleTimer: undefined };
    this.#threads.push(busy);
    return busy;
  }

  #release(busy: BusyThread): void {
    busy.unpackings--;
    if (busy.unpackings > 0) return;
    busy.idleTimer = setTimeout(() => {
      this.#threads = this.#threads.filter((other) => other !== busy);
      busy.thread.stop().catch(() => undefined);
    }, this.#options.idleMs);
    busy.idleTimer.unref();
  }
}

class ThreadedUnpacking implements LayerUnpacking {
  readonly #thread: UnpackThread;
  readonly #id: number;
  readonly #onEnd: () => void;
  #inFlightBytes = 0;
  #wake: (() => void) | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isEnded = false;

  constructor(thread: UnpackThread, id: number, onEnd: () => void) {
    this.#thread = thread;
    this.#id = id;
    this.#onEnd = onEnd;
  }

  begin(request: Parameters<UnpackThread['ask']>[0]): void {
    this.#thread.ask(request).catch((error: unknown) => this.#fail(error));
  }

  /** Waits only while much is on its way: a failure shows with one of the next writes, or at the end. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#throwIfFailed();
    this.#inFlightBytes += chunk.length;
    this.#thread.ask({ id: this.#id, op: 'write', chunk }).then(
      () => this.#arrived(chunk.length),
      (error: unknown) => this.#fail(error),
    );
    while (this.#inFlightBytes > WINDOW_BYTES && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#throwIfFailed();
  }

  async finish(): Promise<UnpackedLayer> {
    this.#throwIfFailed();
    const unpacked = await this.#thread.ask({ id: this.#id, op: 'finish' });
    this.#throwIfFailed();
    if (unpacked === undefined) throw new Error('the thread has forgotten the layer');
    return unpacked;
  }

  async abort(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    // A thread that has ended holds nothing any more.
    await this.#thread.ask({ id: this.#id, op: 'abort' }).catch(() => undefined);
    this.#onEnd();
  }

  #arrived(sizeBytes: number): void {
    this.#inFlightBytes -= sizeBytes;
    this.#wakeWriter();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wakeWriter();
  }

  #wakeWriter(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
