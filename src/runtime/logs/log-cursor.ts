/** A place in a log that only goes forward, from file to file. */
import type { FileHandle } from 'node:fs/promises';
import type { LogPosition, LogReadOptions } from '../log-reader.ts';
import { findTailOffset, LineCounter } from './find-tail.ts';
import { epochSecondsOf, type K8sLogEntry, parseRecords } from './k8s-line-parser.ts';
import { isPresent, type OpenSegment, openSegments } from './log-segments.ts';
import { plainFile } from './plain-segment.ts';

/** Parsed in a few milliseconds even when all of it is short lines. */
const CHUNK_BYTES = 128 << 10;

/** Reads a log once, and what has been added whenever it is asked again. */
export class LogCursor implements AsyncDisposable {
  readonly #options: LogReadOptions;
  readonly #scratch = Buffer.allocUnsafe(CHUNK_BYTES);
  #file: FileHandle | undefined;
  #number = 0;
  #offset = 0;
  /** What comes after the present file; opened, so that nothing of it is lost when it is removed meanwhile. */
  #queue: OpenSegment[] = [];
  /** The beginning of a record whose rest is not there yet. */
  #carry: Buffer = Buffer.alloc(0);
  /** Where in the file the bytes of the newest batch began. */
  #parsedFrom = 0;
  /** An entry after `untilSeconds` was seen. */
  isPastUntil = false;

  constructor(options: LogReadOptions) {
    this.#options = options;
  }

  /** Everything that is there now and was not read before. */
  async *readOn(): AsyncGenerator<readonly K8sLogEntry[]> {
    if (this.#file === undefined) await this.#open();
    while (this.#file !== undefined) {
      yield* this.#readFile(this.#file);
      if (this.#isOver || !(await this.#advance(this.#file))) return;
    }
  }

  /** Which file is read; 0 before the first. */
  get segment(): number {
    return this.#number;
  }

  /** The place after an entry of the newest batch. */
  after(entry: K8sLogEntry): LogPosition {
    return { segment: this.#number, offset: this.#parsedFrom + entry.end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const rest = this.#queue.splice(0).map(({ file }) => file);
    await Promise.all([this.#file, ...rest].map((file) => file?.close()));
  }

  get #isOver(): boolean {
    return this.#options.signal?.aborted === true || this.isPastUntil;
  }

  async *#readFile(file: FileHandle): AsyncGenerator<readonly K8sLogEntry[]> {
    while (!this.#isOver) {
      const { bytesRead } = await file.read(this.#scratch, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const entries = this.#take(this.#scratch.subarray(0, bytesRead));
      if (entries.length > 0) yield entries;
    }
  }

  /** Goes on to the next file when there is one; true when there is more to read. */
  async #advance(file: FileHandle): Promise<boolean> {
    if (this.#queue.length === 0) {
      const { logPath } = this.#options;
      if (await isPresent(logPath, file)) return false;
      this.#queue = await openSegments(logPath, this.#number + 1);
      // A monitor writes to its old file until the new one is there: what it wrote last is read first.
      if (this.#queue.length === 0) return false;
      const { size } = await file.stat();
      if (size > this.#offset) return true;
    }
    await this.#next();
    return true;
  }

  async #next(): Promise<void> {
    const segment = this.#queue.shift();
    if (segment === undefined) return;
    const before = this.#file;
    this.#file = await plainFile(segment);
    this.#number = segment.number;
    this.#offset = 0;
    this.#carry = Buffer.alloc(0);
    await before?.close();
  }

  async #open(): Promise<void> {
    const { logPath, from, tailLines } = this.#options;
    this.#queue = await openSegments(logPath, from?.segment ?? 1);
    const tail = tailLines === undefined ? undefined : await this.#cutToTail(tailLines);
    const first = this.#queue[0]?.number;
    await this.#next();
    if (tail !== undefined) this.#offset = tail;
    else if (first !== undefined && first === from?.segment) this.#offset = from.offset;
  }

  /** Leaves those files out that are older than the last lines; resolves to where these begin in the first that stays. */
  async #cutToTail(lines: number): Promise<number | undefined> {
    const { from } = this.#options;
    const counter = new LineCounter(lines);
    for (let index = this.#queue.length - 1; index >= 0; index--) {
      const segment = this.#queue[index];
      if (segment === undefined) continue;
      const file = await plainFile(segment);
      this.#queue[index] = { ...segment, file, isCompressed: false };
      const { size: to } = await file.stat();
      const start = segment.number === from?.segment ? Math.min(from.offset, to) : 0;
      const offset = await findTailOffset(file, { from: start, to }, counter);
      if (offset === undefined) continue;
      await Promise.all(this.#queue.splice(0, index).map((older) => older.file.close()));
      return offset;
    }
    return undefined;
  }

  /** The entries are the consumer's to keep, so they refer to a copy. */
  #take(bytes: Buffer): readonly K8sLogEntry[] {
    this.#parsedFrom = this.#offset - bytes.length - this.#carry.length;
    const all = Buffer.concat([this.#carry, bytes]);
    const { entries, consumed } = parseRecords(all);
    this.#carry = all.subarray(consumed);
    return this.#inRange(entries);
  }

  #inRange(entries: readonly K8sLogEntry[]): readonly K8sLogEntry[] {
    const { sinceSeconds = Number.NEGATIVE_INFINITY, untilSeconds = Number.POSITIVE_INFINITY } =
      this.#options;
    if (sinceSeconds === Number.NEGATIVE_INFINITY && untilSeconds === Number.POSITIVE_INFINITY) {
      return entries;
    }
    return entries.filter((entry) => {
      const seconds = epochSecondsOf(entry.time);
      if (seconds > untilSeconds) this.isPastUntil = true;
      return seconds >= sinceSeconds && seconds <= untilSeconds;
    });
  }
}
