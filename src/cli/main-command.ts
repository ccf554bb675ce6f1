/** The tree of commands. */
import { type CommandDef, defineCommand } from 'citty';
import type { CommandContext } from './command-context.ts';
import { completionCommand } from './commands/completion.ts';
import { contextCommand } from './commands/context.ts';
import { daemonCommand } from './commands/daemon.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downCommand } from './commands/down.ts';
import { logsDaemonCommand } from './commands/logs-daemon.ts';
import { networkCommand } from './commands/network.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { vmCommand } from './commands/vm.ts';

/** `wherry` with all its commands. `daemonFlags` are completed by the shell. */
export function mainCommand(context: CommandContext, daemonFlags: readonly string[]): CommandDef {
  const commands: Readonly<Record<string, CommandDef>> = {
    up: upCommand(context),
    down: downCommand(context),
    status: statusCommand(context),
    doctor: doctorCommand(context),
    'logs-daemon': logsDaemonCommand(context),
    context: contextCommand(context),
    network: networkCommand(context),
    vm: vmCommand(context),
    daemon: daemonCommand,
  };
  const vocabulary = { commands: [...Object.keys(commands), 'completion'], flags: daemonFlags };
  return defineCommand({
    meta: {
      name: 'wherry',
      version: context.version,
      description: 'Containers of your own, without root, for every docker client',
    },
    subCommands: { ...commands, completion: completionCommand(context, vocabulary) },
  });
}
