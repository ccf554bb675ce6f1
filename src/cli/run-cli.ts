/** Runs one command line. */
import { type CommandDef, renderUsage, runCommand } from 'citty';
import { findEngineError, messageOf } from '../shared/errors.ts';
import type { CommandContext } from './command-context.ts';
import { mainCommand } from './main-command.ts';

/** A flag of the daemon for its help text. */
export interface FlagHelp {
  readonly flag: string;
  readonly short?: string;
  readonly help: string;
}

const USAGE_EXIT_CODE = 2;

/** Runs `argv`; resolves when the command is done. Never rejects: failures are told and set the exit code. */
export async function runCli(
  argv: readonly string[],
  context: CommandContext,
  daemonFlags: readonly FlagHelp[],
): Promise<void> {
  const main = mainCommand(
    context,
    daemonFlags.map(({ flag }) => flag),
  );
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    context.print(
      await renderUsage(rest[0] === undefined ? main : await subCommand(main, rest[0])),
    );
    return;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    context.print(await commandHelp(main, name, daemonFlags));
    return;
  }
  try {
    await runCommand(main, { rawArgs: [...argv] });
  } catch (error) {
    context.tell(`wherry: ${messageOf(error)}`);
    const isUsage = findEngineError(error)?.kind === 'invalid-argument' || isCittyError(error);
    context.setExitCode(isUsage ? USAGE_EXIT_CODE : 1);
  }
}

async function commandHelp(
  main: CommandDef,
  name: string,
  daemonFlags: readonly FlagHelp[],
): Promise<string> {
  const usage = await renderUsage(await subCommand(main, name), main);
  if (name !== 'daemon' && name !== 'up') return usage;
  const rows = daemonFlags.map(({ flag, short, help }) => {
    const letter = short === undefined ? '    ' : `-${short}, `;
    return `  ${letter}--${flag.padEnd(20)} ${help}`;
  });
  return [
    usage,
    'FLAGS',
    ...rows,
    '      --config-file          file to read settings from',
    '',
  ].join('\n');
}

async function subCommand(main: CommandDef, name: string): Promise<CommandDef> {
  const commands = (await resolve(main.subCommands)) ?? {};
  const found = commands[name];
  return found === undefined ? main : resolve(found);
}

/** citty lets parts of a command be values, promises or functions of either. */
async function resolve<T>(value: T | Promise<T> | (() => T) | (() => Promise<T>)): Promise<T> {
  return typeof value === 'function' ? (value as () => T | Promise<T>)() : value;
}

function isCittyError(error: unknown): boolean {
  return error instanceof Error && error.name === 'CLIError';
}
