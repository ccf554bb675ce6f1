/** Collecting a process's output up to a cap. */
import type { Readable } from 'node:stream';

/**
 * Keeps the first and the last half of `maxBytes` of a stream; what lies between is dropped. Errors of the
 * stream count as its end: the exit of the process tells the rest.
 */
export class OutputCollector {
  readonly #stream: Readable;
  readonly #half: number;
  readonly #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #dropped = 0;
  #chunks = 0;
  #closed = false;

  constructor(stream: Readable, maxBytes: number) {
    this.#stream = stream;
    this.#half = Math.max(1, Math.ceil(maxBytes / 2));
    stream.on('data', (chunk: Buffer) => this.#add(chunk));
    stream.once('close', () => {
      this.#closed = true;
    });
  }

  /** True once output was dropped. */
  get truncated(): boolean {
    this.#trim();
    return this.#dropped > 0;
  }

  /** What was kept, as UTF-8, with a note where something is missing. */
  text(): string {
    if (!this.truncated) return Buffer.concat([...this.#head, ...this.#tail]).toString('utf8');
    const head = Buffer.concat(this.#head).toString('utf8');
    const tail = Buffer.concat(this.#tail).toString('utf8');
    return `${head}\n[${this.#dropped} bytes left out]\n${tail}`;
  }

  /** The stream has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Grows with every piece that arrives. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Stops reading for good. */
  destroy(): void {
    this.#stream.destroy();
  }

  #add(chunk: Buffer): void {
    this.#chunks += 1;
    const room = this.#half - this.#headBytes;
    const first = chunk.subarray(0, Math.max(0, room));
    if (first.length > 0) this.#head.push(first);
    this.#headBytes += first.length;
    const rest = chunk.subarray(first.length);
    if (rest.length > 0) this.#addTail(rest);
  }

  #addTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    if (this.#tailBytes > this.#half * 2) this.#trim();
  }

  /** Done when the tail has doubled, and before it is looked at: not for every small piece. */
  #trim(): void {
    if (this.#tailBytes <= this.#half) return;
    const kept = Buffer.from(Buffer.concat(this.#tail).subarray(-this.#half));
    this.#dropped += this.#tailBytes - kept.length;
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }
}

/** How long output may go on arriving after the process has ended, e.g. from a grandchild with the same pipe. */
const GRACE_MS = 500;

/**
 * Resolves when all streams have ended, or when the process is gone and nothing more lies in the pipes: a
 * grandchild may hold a pipe open for as long as it likes, so the end of the stream cannot be waited for.
 */
export async function drained(collectors: readonly OutputCollector[]): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  let seen = -1;
  for (;;) {
    const now = collectors.reduce((sum, each) => sum + each.chunks, 0);
    if (collectors.every((each) => each.closed)) return;
    if (now === seen || performance.now() > deadline) return;
    seen = now;
    // A whole turn of the event loop polls every pipe; two immediates apart guarantee one in between.
    await nextTurn();
    await nextTurn();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
