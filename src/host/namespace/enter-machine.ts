/** The command that runs a program inside the machine's namespaces. Pure. */
import type { IdMap } from '../../handshake/host-facts.ts';
import type { Command } from '../../sys/exec/command.ts';
import type { Anchor } from './anchor.ts';

/**
 * `command`, an engine, inside the namespaces of `anchor`, as their root. The process that is started becomes the
 * program: no process stays in between. It moves into the network namespace itself, because containers with
 * `--network host` are started from outside of that one.
 */
export function enterMachine(anchor: Anchor, idMap: IdMap, command: Command): Command {
  const args = ['--target', String(anchor.process.pid), '--user', '--mount'];
  // With one id the kernel denies setgroups(2), which nsenter calls to become root; whoever enters such a namespace is its root already.
  if (idMap.mode === 'single') args.push('--preserve-credentials');
  return {
    ...command,
    file: 'nsenter',
    args: [...args, '--', command.file, ...command.args, ...networkOption(anchor)],
  };
}

function networkOption({ process }: Anchor): readonly string[] {
  return ['--network-namespace', `/proc/${process.pid}/ns/net`];
}
