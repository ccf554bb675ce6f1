/** `wherry logs-daemon`: the log of the daemon in the background. */
import { parseArgs } from 'node:util';
import { defineCommand } from 'citty';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';

const OPTIONS = {
  follow: { type: 'boolean', short: 'f' },
  tail: { type: 'string', short: 'n' },
  'data-root': { type: 'string' },
} as const;

/** Prints the log, the last `--tail` lines of it, and with `--follow` what is added. */
export function logsDaemonCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'logs-daemon', description: 'Show the log of the daemon' },
    run: async ({ rawArgs }) => {
      const { values } = parseArgs({ args: rawArgs, options: OPTIONS });
      const root = values['data-root'];
      const flags = new Map(root === undefined ? [] : [['data-root', [root]] as const]);
      const path = await (await context.control()).logPath({ flags });
      await context.showFile(path, {
        follow: values.follow === true,
        lines: lineCount(values.tail),
      });
    },
  });
}

function lineCount(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (!/^\d+$/.test(text)) throw badUsage(`--tail: "${text}" is not a number of lines`);
  return Number(text);
}
