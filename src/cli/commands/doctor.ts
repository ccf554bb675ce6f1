/** `wherry doctor`: does this machine have what it takes. */
import { defineCommand } from 'citty';
import type { DoctorCheck } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import type { CommandContext } from '../command-context.ts';

const SIGNS: Readonly<Record<DoctorCheck['state'], string>> = {
  ok: 'ok     ',
  limited: 'limited',
  missing: 'MISSING',
};

/** Lists every requirement with its cure; exit code 1 when the daemon cannot run. */
export function doctorCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'doctor', description: 'Check what this machine needs, with cures' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['json']);
      const checks = await (await context.control()).doctor(daemon);
      context.print(own.has('json') ? JSON.stringify(checks) : describeChecks(checks));
      if (checks.some(({ state }) => state === 'missing')) context.setExitCode(1);
    },
  });
}

/** The checks as text: a line for each, and its cure below. */
export function describeChecks(checks: readonly DoctorCheck[]): string {
  return checks
    .flatMap(({ name, state, detail, cure }) => [
      `${SIGNS[state]}  ${name}: ${detail}`,
      ...(cure === undefined ? [] : [`         cure: ${cure}`]),
    ])
    .join('\n');
}
