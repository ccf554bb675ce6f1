/** Logs in memory, by path: what the fake task runner writes and everybody reads. */
import type { LogEntry, LogPosition, LogReader, LogReadOptions } from '../log-reader.ts';

interface FakeLog {
  readonly entries: LogEntry[];
  /** Position in bytes after each entry. */
  readonly ends: number[];
  readonly readers: Set<() => void>;
}

export class FakeLogs implements LogReader {
  readonly #logs = new Map<string, FakeLog>();

  /** Adds one entry and wakes the readers that follow. */
  append(logPath: string, entry: LogEntry): void {
    const log = this.#logOf(logPath);
    log.entries.push(entry);
    log.ends.push((log.ends.at(-1) ?? 0) + entry.data.length);
    for (const wake of log.readers) wake();
  }

  async end(logPath: string): Promise<LogPosition> {
    return { segment: 1, offset: this.#logOf(logPath).ends.at(-1) ?? 0 };
  }

  async *read(options: LogReadOptions): AsyncGenerator<readonly LogEntry[]> {
    const log = this.#logOf(options.logPath);
    const waiting = new FakeWait(log, options);
    try {
      let at = firstIndex(log, options);
      for (;;) {
        const isLast = options.follow === undefined || waiting.isOver;
        const batch = log.entries.slice(at).filter((entry) => isWanted(entry, options));
        at = log.entries.length;
        if (batch.length > 0) yield batch;
        if (isLast || options.signal?.aborted === true) return;
        await waiting.next();
      }
    } finally {
      waiting.close();
    }
  }

  #logOf(path: string): FakeLog {
    const known = this.#logs.get(path);
    if (known !== undefined) return known;
    const log = { entries: [], ends: [], readers: new Set<() => void>() };
    this.#logs.set(path, log);
    return log;
  }
}

function firstIndex({ entries, ends }: FakeLog, options: LogReadOptions): number {
  const { offset = 0 } = options.from ?? {};
  const { tailLines } = options;
  const from = ends.filter((end) => end <= offset).length;
  if (tailLines === undefined) return from;
  return Math.max(from, entries.length - tailLines);
}

function isWanted(entry: LogEntry, options: LogReadOptions): boolean {
  const seconds = Date.parse(entry.time) / 1000;
  return seconds >= (options.sinceSeconds ?? 0) && seconds <= (options.untilSeconds ?? Infinity);
}

/** Wakes a following reader for new entries and for the reasons to stop. */
class FakeWait {
  isOver = false;
  #changed = false;
  #wake: () => void = () => undefined;
  readonly #log: FakeLog;
  readonly #onChange = () => this.#notify();

  constructor(log: FakeLog, { follow, signal }: LogReadOptions) {
    this.#log = log;
    log.readers.add(this.#onChange);
    const stop = () => {
      this.isOver = true;
      this.#notify();
    };
    follow?.ended.then(stop, stop);
    signal?.addEventListener('abort', stop, { once: true });
  }

  async next(): Promise<void> {
    if (!this.#changed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
  }

  close(): void {
    this.#log.readers.delete(this.#onChange);
  }

  #notify(): void {
    this.#changed = true;
    this.#wake();
  }
}
