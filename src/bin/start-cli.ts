/** Composition of the command line program. */
import { stripVTControlCharacters } from 'node:util';
import type { CommandContext } from '../cli/command-context.ts';
import { runCli } from '../cli/run-cli.ts';
import { SETTINGS } from '../host/settings/setting-table.ts';
import { VERSION } from './version.ts';

/** Runs the command line and leaves the exit code to the process. */
export async function startCli(argv: readonly string[]): Promise<void> {
  const environment = process.env;
  const context: CommandContext = {
    version: VERSION,
    control: async () => (await import('./host-control.ts')).hostControl(environment),
    vmControl: async () => (await import('./vm-control.ts')).vmControl(environment),
    print: (text) => {
      const plain = process.stdout.isTTY ? text : stripVTControlCharacters(text);
      process.stdout.write(plain.endsWith('\n') ? plain : `${plain}\n`);
    },
    tell: (text) =>
      process.stderr.write(`${process.stderr.isTTY ? text : stripVTControlCharacters(text)}\n`),
    setExitCode: (code) => {
      process.exitCode = code;
    },
    showFile: async (path, options) => (await import('./show-file.ts')).showFile(path, options),
  };
  const flags = SETTINGS.flatMap(({ flag, short, help }) =>
    flag === undefined ? [] : [{ flag, help, ...(short === undefined ? {} : { short }) }],
  );
  await runCli(argv, context, flags);
}
