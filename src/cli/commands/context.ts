/** `wherry context`: the docker client's context that leads to us. */
import { defineCommand } from 'citty';
import type { ContextReport } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';

const ACTIONS = ['show', 'use', 'remove'] as const;

/** Shows, selects or removes the context. */
export function contextCommand(context: CommandContext) {
  return defineCommand({
    meta: {
      name: 'context',
      description: 'Show, use or remove the docker context: show | use | remove',
    },
    run: async ({ rawArgs }) => {
      const [first = 'show', ...rest] = rawArgs;
      const isFlag = first.startsWith('-');
      const action = ACTIONS.find((candidate) => candidate === (isFlag ? 'show' : first));
      if (action === undefined)
        throw badUsage(`unknown action ${first}: use ${ACTIONS.join(', ')}`);
      const { daemon, own } = splitReportArguments(isFlag ? rawArgs : rest, ['json']);
      const report = await (await context.control()).context(daemon, action);
      context.print(own.has('json') ? JSON.stringify(report) : describeContext(report));
    },
  });
}

/** The context as text. */
export function describeContext(report: ContextReport): string {
  if (!report.written) return `There is no docker context "${report.name}".`;
  const use = report.current
    ? 'the docker client uses it'
    : 'not in use; "wherry context use" selects it';
  return `${report.name}: ${report.host} (${use})`;
}
