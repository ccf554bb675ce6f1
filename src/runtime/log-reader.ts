/** Port: reading what a task wrote. One reader serves `logs` and attached clients. */

/** One line or partial line of output with its time. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, as written by the monitor. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The bytes as the process wrote them, with the newline when the line was complete. */
  readonly data: Uint8Array;
}

export interface LogReadOptions {
  readonly logPath: string;
  /** Start at this byte offset of the log file: output from a known moment on. Default 0. */
  readonly fromOffset?: number;
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
  /** Batches of entries in order; a batch holds what was available at once. A missing file reads as empty. */
  read(options: LogReadOptions): AsyncIterable<readonly LogEntry[]>;
  /** Present size of the log in bytes, 0 when there is none. */
  size(logPath: string): Promise<number>;
}
