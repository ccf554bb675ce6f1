/** `wherry doctor`: does this machine have what it takes. */
import { defineCommand } from 'citty';
import type { StorageFinding, StorageSummary } from '../../handshake/storage-report.ts';
import type { DaemonArguments, DoctorCheck } from '../../host/machine.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';

const SIGNS: Readonly<Record<DoctorCheck['state'], string>> = {
  ok: 'ok     ',
  limited: 'limited',
  missing: 'MISSING',
};

const SWITCHES = ['json', 'storage', 'deep', 'dry-run'];

/**
 * Lists every requirement with its cure; exit code 1 when the daemon cannot run. With `--storage`: checks what is stored and
 * repairs it (not with `--dry-run`), also the contents of unpacked files with `--deep`; exit code 1 when something is
 * left.
 */
export function doctorCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'doctor', description: 'Check what this machine needs, with cures' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, SWITCHES);
      if (own.has('storage')) return await checkStorage(context, daemon, own);
      const stray = [...own].find((name) => name !== 'json');
      if (stray !== undefined) throw badUsage(`--${stray} belongs to "wherry doctor --storage"`);
      const checks = await (await context.control()).doctor(daemon);
      context.print(own.has('json') ? JSON.stringify(checks) : describeChecks(checks));
      if (checks.some(({ state }) => state === 'missing')) context.setExitCode(1);
    },
  });
}

async function checkStorage(
  context: CommandContext,
  daemon: DaemonArguments,
  own: ReadonlySet<string>,
): Promise<void> {
  const findings: StorageFinding[] = [];
  const summary = await (await context.control()).checkStorage(daemon, {
    repairs: !own.has('dry-run'),
    deep: own.has('deep'),
    onFinding: (finding) => {
      findings.push(finding);
      if (!own.has('json')) context.print(describeFinding(finding));
    },
  });
  context.print(own.has('json') ? JSON.stringify({ findings, summary }) : describeSummary(summary));
  if (summary.left > 0) context.setExitCode(1);
}

/** A finding as text, with its cure below. */
export function describeFinding(finding: StorageFinding): string {
  const { kind, subject, images, problem, outcome, cure } = finding;
  const owner = images.length === 0 ? '' : ` (${images.join(', ')})`;
  const sign = outcome === 'repaired' ? 'repaired' : 'DAMAGED ';
  const lines = [`${sign}  ${kind} ${subject}${owner} ${problem}`];
  return [...lines, ...(cure === undefined ? [] : [`          cure: ${cure}`])].join('\n');
}

function describeSummary({ images, blobs, layers, findings, left }: StorageSummary): string {
  const checked = `checked ${images} images, ${blobs} blobs, ${layers} layers`;
  return findings === 0
    ? `${checked}: all is well`
    : `${checked}: ${findings} findings, ${left} left`;
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
