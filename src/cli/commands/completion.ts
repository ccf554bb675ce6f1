/** `wherry completion`: words for the shell. */
import { defineCommand } from 'citty';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';

/** What can be completed: commands, and flags of the daemon. */
export interface Vocabulary {
  readonly commands: readonly string[];
  readonly flags: readonly string[];
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/** Prints a script for the shell, to be sourced by it. */
export function completionCommand(context: CommandContext, vocabulary: Vocabulary) {
  return defineCommand({
    meta: { name: 'completion', description: 'Print a completion script: bash | zsh | fish' },
    run: ({ rawArgs: [name = 'bash'] }) => {
      const shell = SHELLS.find((candidate) => candidate === name);
      if (shell === undefined)
        throw badUsage(`no completion for ${name}: use ${SHELLS.join(', ')}`);
      context.print(completionScript(shell, vocabulary));
    },
  });
}

/** The script for one shell. */
export function completionScript(shell: Shell, { commands, flags }: Vocabulary): string {
  const words = [...commands, ...flags.map((flag) => `--${flag}`)];
  switch (shell) {
    case 'bash':
      return [
        '_wherry() {',
        `  COMPREPLY=($(compgen -W "${words.join(' ')}" -- "\${COMP_WORDS[COMP_CWORD]}"))`,
        '}',
        'complete -o default -F _wherry wherry',
      ].join('\n');
    case 'zsh':
      return ['#compdef wherry', `compadd -- ${words.join(' ')}`].join('\n');
    case 'fish':
      return [
        ...commands.map(
          (command) => `complete -c wherry -n __fish_use_subcommand -f -a ${command}`,
        ),
        ...flags.map((flag) => `complete -c wherry -l ${flag}`),
      ].join('\n');
  }
}
