/** Port: what becomes of a container's log beyond being read: Docker's file beside it, and rotation. */
import type { ContainerId } from '../shared/ids.ts';

/** Docker's `json-file` for people and programs that read `LogPath`. */
export interface FileMirror {
  readonly kind: 'file';
  readonly path: string;
  /** Written into every line as `attrs`; absent without any. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** The journal of the machine, for people and programs that read `journalctl`. */
export interface JournalMirror {
  readonly kind: 'journal';
  /** Records how much of the log the journal has. */
  readonly progressPath: string;
  /** What every entry has beside its message; names of capitals, digits and underscores. */
  readonly fields: Readonly<Record<string, string>>;
}

/** What is kept of a log, and in which form. */
export interface LogPolicy {
  /** Where messages go besides the monitor's own log. */
  readonly mirror?: FileMirror | JournalMirror;
  /** A file this large is followed by a new one; absent for one file without a limit. */
  readonly maxBytes?: number;
  /** Files that are kept, the one being written included; 1 or more. */
  readonly maxFiles: number;
  /** Whether rotated files are compressed with gzip. */
  readonly compresses: boolean;
}

/** A container whose log is to be kept. */
export interface KeptLog {
  readonly id: ContainerId;
  /** What the monitor writes. */
  readonly logPath: string;
  readonly policy: LogPolicy;
}

export interface LogKeeper {
  /** `unavailable` when this machine has no place for the log, before anything is written. */
  assertPossible(policy: LogPolicy): void;
  /**
   * Keeps the log from now on, beginning with what nobody has kept yet. Returns at once; the log is dealt with
   * within a second of each change, and not looked at while nothing is written.
   */
  begin(log: KeptLog): void;
  /** The run has ended and its log is complete. Resolves when what was left has been dealt with; never rejects. */
  end(log: KeptLog): Promise<void>;
  /** Lets go of the log before its files are removed. */
  drop(id: ContainerId): Promise<void>;
  /** The engine ends: nothing is written any more. */
  close(): Promise<void>;
}
