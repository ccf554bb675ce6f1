/** What commands are given: everything that touches the world outside of the command line. */
import type { HostControl } from '../host/machine.ts';
import type { VmControl } from '../host/vm-control.ts';

/** Built by `bin`; commands import nothing that does work. */
export interface CommandContext {
  /** Loaded when a command needs it: `--help` and `--version` do not. */
  readonly control: () => Promise<HostControl>;
  readonly vmControl: () => Promise<VmControl>;
  /** Writes results; without a newline at the end one is added. */
  readonly print: (text: string) => void;
  /** Writes to the user's eyes only (standard error). */
  readonly tell: (text: string) => void;
  /** What the process will exit with; 0 unless set. */
  readonly setExitCode: (code: number) => void;
  /** Prints a file, and what is added to it until interrupted when `follow` is set. */
  readonly showFile: (
    path: string,
    options: { readonly follow: boolean; readonly lines: number | undefined },
  ) => Promise<void>;
  readonly version: string;
}
