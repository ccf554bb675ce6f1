/** `wherry down`: stop everything. */
import { defineCommand } from 'citty';
import type { DownOutcome } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import type { CommandContext } from '../command-context.ts';

const TEXTS: Readonly<Record<DownOutcome, string>> = {
  stopped: 'wherry is down.',
  cleaned: 'The daemon had gone; what it left has been ended.',
  'not-running': 'wherry was not up.',
};

/** Stops the daemon with its containers; also cleans up after one that was killed. */
export function downCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'down', description: 'Stop the daemon and its containers' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['json']);
      const outcome = await (await context.control()).down(daemon);
      context.print(own.has('json') ? JSON.stringify({ outcome }) : TEXTS[outcome]);
    },
  });
}
