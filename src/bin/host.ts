/** The host process as a program of its own: what `wherry up` starts in the background. */
import { parseDaemonArguments } from '../cli/args/daemon-flags.ts';
import { messageOf } from '../shared/errors.ts';
import { runDaemon } from './run-daemon.ts';

try {
  const { daemon, validate } = parseDaemonArguments(process.argv.slice(2));
  process.exit(await runDaemon({ daemon, validate, environment: process.env }));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
