/** The command that runs a program inside the machine's namespaces. Pure. */
import type { IdMap } from '../../handshake/host-facts.ts';
import type { Command } from '../../sys/exec/command.ts';
import type { Anchor } from './anchor.ts';

/**
 * `command` inside the namespaces of `anchor`, as their root. The process that is started becomes the program: no
 * process stays in between.
 */
export function enterMachine(anchor: Anchor, idMap: IdMap, command: Command): Command {
  const args = ['--target', String(anchor.process.pid), '--user', '--mount', '--net'];
  // With one id the kernel denies setgroups(2), which nsenter calls to become root; whoever enters such a namespace is its root already.
  if (idMap.mode === 'single') args.push('--preserve-credentials');
  return {
    ...command,
    file: 'nsenter',
    args: [...args, '--', command.file, ...command.args],
  };
}
