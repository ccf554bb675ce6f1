/** Flags of a reporting command, told apart from those of the daemon that it accepts as well. */
import type { DaemonArguments } from '../../host/machine.ts';
import { badUsage } from '../cli-errors.ts';
import { parseDaemonArguments } from './daemon-flags.ts';

/** A command line cut in two. */
export interface ReportArguments {
  readonly daemon: DaemonArguments;
  /** Switches of the command itself that were given, e.g. `json`. */
  readonly own: ReadonlySet<string>;
}

/**
 * Takes the command's own switches (`ownSwitches`, without dashes) out of `argv`; the rest must be flags of the
 * daemon. `invalid-argument` otherwise.
 */
export function splitReportArguments(
  argv: readonly string[],
  ownSwitches: readonly string[],
): ReportArguments {
  const isOwn = (argument: string) =>
    argument.startsWith('--') && ownSwitches.includes(argument.slice(2));
  const own = new Set(argv.filter(isOwn).map((argument) => argument.slice(2)));
  const { daemon, validate } = parseDaemonArguments(argv.filter((argument) => !isOwn(argument)));
  if (validate) throw badUsage('--validate belongs to "wherry daemon"');
  return { daemon, own };
}
