/** Where the messages of a log are brought, beside the monitor's own file. */
import type { Message } from './json-line.ts';

export interface MessageSink {
  /** Takes a message; it may be lost until `deliver`. */
  add(message: Message): void;
  /** True when what was added is enough to be delivered. */
  readonly isDue: boolean;
  /** Brings what was added to its place, and calls `record` whenever `bytes` is to be recorded. */
  deliver(record: () => Promise<void>): Promise<void>;
  /** Size of what a crash could leave half written; 0 where there is no such thing. */
  readonly bytes: number;
  close(): Promise<void>;
}
