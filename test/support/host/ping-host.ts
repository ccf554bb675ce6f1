/** The daemon with the engine of `ping-engine.ts`. Its arguments are the daemon's. */
import { join } from 'node:path';
import { runDaemon } from '../../../src/bin/run-daemon.ts';
import { parseDaemonArguments } from '../../../src/cli/args/daemon-flags.ts';

const engine = {
  file: process.execPath,
  args: ['--import', import.meta.resolve('tsx'), join(import.meta.dirname, 'ping-engine.ts')],
};
const { daemon, validate } = parseDaemonArguments(process.argv.slice(2));
process.exit(await runDaemon({ daemon, validate, environment: process.env, engine }));
