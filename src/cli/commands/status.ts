/** `wherry status`: what runs. */
import { defineCommand } from 'citty';
import type { MachineReport } from '../../handshake/machine-report.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import type { CommandContext } from '../command-context.ts';

/** As systemd's convention for status commands has it: 3 when the service does not run. */
const NOT_RUNNING_EXIT_CODE = 3;

/** Reports the state of the machine; exit code 3 when it does not run. */
export function statusCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'status', description: 'Show what runs' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['json']);
      const report = await (await context.control()).status(daemon);
      context.print(own.has('json') ? JSON.stringify(report) : describeStatus(report));
      if (report.state === 'stopped') context.setExitCode(NOT_RUNNING_EXIT_CODE);
    },
  });
}

/** The report as text, one line for each part. */
export function describeStatus(report: MachineReport): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['state', report.state],
    ['version', report.version],
    ['host', describeProcess(report.host)],
    ['anchor', describeProcess(report.anchor)],
    ['vm', report.vm && `${report.vm.driver}, ${describeProcess(report.vm)}`],
    ['engine', describeEngine(report.engine)],
    ['uplink', describeUplink(report.uplink)],
    ['ids', report.idMap === 'single' ? 'a single id' : report.idMap && 'subordinate ids'],
    ['data', report.dataRoot],
    ['runtime', report.execRoot],
    ...report.hosts.map((host) => ['api', host] as const),
    ...report.warnings.map((warning) => ['warning', warning] as const),
    ...report.errors.map((error) => ['error', error] as const),
  ];
  return rows
    .flatMap(([name, text]) => (text === undefined ? [] : `${`${name}:`.padEnd(10)}${text}`))
    .join('\n');
}

function describeProcess(process: MachineReport['host']): string | undefined {
  if (process === undefined) return undefined;
  return process.alive ? `pid ${process.pid}` : `pid ${process.pid} (ended)`;
}

function describeEngine(engine: MachineReport['engine']): string | undefined {
  if (engine === undefined) return undefined;
  const restarts = engine.restarts === 0 ? '' : `, restarted ${engine.restarts} times`;
  return `${describeProcess(engine)}, version ${engine.version}${restarts}`;
}

function describeUplink(uplink: MachineReport['uplink']): string | undefined {
  if (uplink === undefined) return undefined;
  if (uplink.driver === 'none') return `none (${uplink.reason})`;
  return uplink.pid === undefined ? uplink.driver : `${uplink.driver}, pid ${uplink.pid}`;
}
