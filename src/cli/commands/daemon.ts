/** `wherry daemon`: the daemon in the foreground. */
import { defineCommand } from 'citty';
import { parseDaemonArguments } from '../args/daemon-flags.ts';
import type { CommandContext } from '../command-context.ts';

/** Runs until stopped; standard output has one JSON line for each event, standard error the log. */
export function daemonCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'daemon', description: 'Run the daemon in the foreground' },
    run: async ({ rawArgs }) => {
      const { daemon, validate } = parseDaemonArguments(rawArgs);
      context.setExitCode(await context.runDaemon(daemon, validate));
    },
  });
}
