/** Port: reading what a task wrote. One reader serves `logs` and attached clients. */

/** One line or partial line of output with its time. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, as written by the monitor. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The bytes as the process wrote them, with the newline when the line was complete. */
  readonly data: Uint8Array;
}

/** A place in a log, which rotation does not change. */
export interface LogPosition {
  /** Which of the log's files. */
  readonly segment: number;
  /** Byte offset in it, at the start of a record. */
  readonly offset: number;
}

export interface LogReadOptions {
  readonly logPath: string;
  /** Output from a known moment on; undefined is all that is kept. */
  readonly from?: LogPosition;
  /** Only the last n lines; undefined is all. */
  readonly tailLines?: number;
  /** Epoch seconds with fraction: entries at or after. */
  readonly sinceSeconds?: number;
  /** Epoch seconds with fraction: entries at or before; a follow ends there. */
  readonly untilSeconds?: number;
  /** Keep reading new output until `ended` resolves (then drain) or `signal` aborts. */
  readonly follow?: { readonly ended: Promise<unknown> };
  readonly signal?: AbortSignal;
}

export interface LogReader {
  /**
   * Batches of entries in order; a batch holds what was available at once. Goes through the files of a rotated log
   * one after the other. A missing file reads as empty.
   */
  read(options: LogReadOptions): AsyncIterable<readonly LogEntry[]>;
  /** Where the log ends at present. */
  end(logPath: string): Promise<LogPosition>;
}
