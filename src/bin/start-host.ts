/** Composition of the host program: from its command line to its exit. */
import { parseDaemonArguments } from '../cli/args/daemon-flags.ts';
import { messageOf } from '../shared/errors.ts';
import { runDaemon } from './run-daemon.ts';

/** Runs the daemon with these arguments and ends the process with its exit code. */
export async function startHost(argv: readonly string[]): Promise<never> {
  try {
    const { daemon, validate } = parseDaemonArguments(argv);
    process.exit(await runDaemon({ daemon, validate, environment: process.env }));
  } catch (error) {
    process.stderr.write(`wherry: ${messageOf(error)}\n`);
    process.exit(1);
  }
}
