/** The environment and the trace that all processes share; set once by the composition root. */
import { homedir } from 'node:os';
import type { Command } from './command.ts';

/** One finished or failed process, for a debug line. Argument values that look secret are already masked. */
export interface ProcessTrace {
  readonly argv: readonly string[];
  readonly pid: number;
  readonly durationMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** What the composition root decides for all processes. */
export interface ProcessSettings {
  /** The base environment of every process: `PATH`, `HOME`, `XDG_RUNTIME_DIR`, … */
  readonly environment: Readonly<Record<string, string>>;
  /** Called once for each process that ended. */
  readonly onFinished?: (trace: ProcessTrace) => void;
}

/** Directories searched when the composition root names none: also the administrator's, where `ip` and `nft` live. */
export const DEFAULT_SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

let settings: ProcessSettings | undefined;

/** Sets the shared settings. Called by `bin` once, before the first process. */
export function configureProcesses(next: ProcessSettings): void {
  settings = next;
}

/** The complete environment of a command. The locale is fixed because output is parsed. */
export function environmentOf(command: Command): Readonly<Record<string, string>> {
  const base = settings?.environment ?? { PATH: DEFAULT_SEARCH_PATH, HOME: homedir() };
  return { LC_ALL: 'C.UTF-8', ...base, ...command.env };
}

/** Tells the trace about a finished process. */
export function traceFinished(trace: ProcessTrace): void {
  settings?.onFinished?.({ ...trace, argv: redactArguments(trace.argv) });
}

const SECRET_OPTION = /(password|passwd|token|secret|auth)/i;

/** Masks the values of options whose names speak of secrets, in both forms `--token x` and `--token=x`. */
export function redactArguments(argv: readonly string[]): readonly string[] {
  return argv.map((argument, position) => {
    const before = argv[position - 1];
    if (before?.startsWith('-') && !before.includes('=') && SECRET_OPTION.test(before))
      return '***';
    const equals = argument.indexOf('=');
    if (equals < 0 || !SECRET_OPTION.test(argument.slice(0, equals))) return argument;
    return `${argument.slice(0, equals)}=***`;
  });
}
