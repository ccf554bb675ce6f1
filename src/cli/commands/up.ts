/** `wherry up`: the daemon in the background. */
import { defineCommand } from 'citty';
import type { UpReport } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import type { CommandContext } from '../command-context.ts';

/** Starts the daemon when none runs, and says what to type next. Takes the flags of `daemon`. */
export function upCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'up', description: 'Start the daemon in the background' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['json']);
      const report = await (await context.control()).up(daemon);
      context.print(own.has('json') ? JSON.stringify(report) : describeUp(report));
    },
  });
}

/** The report as text. */
export function describeUp(report: UpReport): string {
  const lines = [
    report.outcome === 'started' ? 'wherry is up.' : 'wherry was up already.',
    ...report.warnings.map((warning) => `Note: ${warning}`),
    '',
    'To use it, type one of:',
    `  export DOCKER_HOST=${report.host}`,
  ];
  if (report.context !== undefined) lines.push(`  docker --context ${report.context} ps`);
  if (report.context !== undefined) lines.push('  wherry context use');
  lines.push('', 'To stop it: wherry down');
  return lines.join('\n');
}
