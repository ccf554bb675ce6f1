/** Reads the log file of a task: from the start, from its last lines, and on as it grows. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { isMissing } from '../../sys/system-errors.ts';
import type { LogEntry, LogReader, LogReadOptions } from '../log-reader.ts';
import { findTailOffset } from './find-tail.ts';
import { epochSecondsOf, type K8sLogEntry, parseRecords } from './k8s-line-parser.ts';
import { LogChanges } from './log-changes.ts';

/** Parsed in a few milliseconds even when all of it is short lines. */
const CHUNK_BYTES = 128 << 10;

export class K8sLogReader implements LogReader {
  async *read(options: LogReadOptions): AsyncGenerator<readonly LogEntry[]> {
    await using cursor = new LogCursor(options);
    if (options.follow === undefined) {
      yield* cursor.readOn();
      return;
    }
    yield* follow(cursor, options, options.follow.ended);
  }

  async size(logPath: string): Promise<number> {
    try {
      return (await stat(logPath)).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  }
}

async function* follow(
  cursor: LogCursor,
  options: LogReadOptions,
  ended: Promise<unknown>,
): AsyncGenerator<readonly LogEntry[]> {
  const { signal, untilSeconds } = options;
  let hasEnded = false;
  let failure: unknown;
  const changes = new LogChanges(options.logPath, (error) => {
    failure = error;
    changes.notify();
  });
  try {
    const onEnd = () => {
      hasEnded = true;
      changes.notify();
    };
    ended.then(onEnd, onEnd);
    if (signal !== undefined) changes.notifyOn(signal);
    if (untilSeconds !== undefined) changes.notifyAt(untilSeconds * 1000);
    for (;;) {
      // Looked at before reading: what was written before the end is then read before we stop.
      const isLast = hasEnded || isPast(untilSeconds);
      yield* cursor.readOn();
      if (isLast || cursor.isPastUntil || signal?.aborted === true) return;
      if (failure !== undefined) throw failure;
      await changes.next();
    }
  } finally {
    changes.close();
  }
}

function isPast(epochSeconds: number | undefined): boolean {
  return epochSeconds !== undefined && epochSeconds * 1000 <= Date.now();
}

/** A place in a log file that only goes forward. */
class LogCursor implements AsyncDisposable {
  readonly #options: LogReadOptions;
  readonly #scratch = Buffer.allocUnsafe(CHUNK_BYTES);
  #file: FileHandle | undefined;
  #offset = 0;
  /** The beginning of a record whose rest is not there yet. */
  #carry: Buffer = Buffer.alloc(0);
  /** An entry after `untilSeconds` was seen. */
  isPastUntil = false;

  constructor(options: LogReadOptions) {
    this.#options = options;
  }

  /** Everything that is there now and was not read before. */
  async *readOn(): AsyncGenerator<readonly LogEntry[]> {
    const file = await this.#opened();
    if (file === undefined) return;
    while (this.#options.signal?.aborted !== true && !this.isPastUntil) {
      const { bytesRead } = await file.read(this.#scratch, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const entries = this.#take(this.#scratch.subarray(0, bytesRead));
      if (entries.length > 0) yield entries;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file?.close();
  }

  /** The entries are the consumer's to keep, so they refer to a copy. */
  #take(bytes: Buffer): readonly LogEntry[] {
    const all = Buffer.concat([this.#carry, bytes]);
    const { entries, consumed } = parseRecords(all);
    this.#carry = all.subarray(consumed);
    return this.#inRange(entries);
  }

  #inRange(entries: readonly K8sLogEntry[]): readonly LogEntry[] {
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

  async #opened(): Promise<FileHandle | undefined> {
    if (this.#file !== undefined) return this.#file;
    try {
      this.#file = await open(this.#options.logPath, 'r');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    this.#offset = await this.#start(this.#file);
    return this.#file;
  }

  async #start(file: FileHandle): Promise<number> {
    const { fromOffset: from = 0, tailLines } = this.#options;
    if (tailLines === undefined) return from;
    const { size: to } = await file.stat();
    return await findTailOffset(file, { from: Math.min(from, to), to }, tailLines);
  }
}
