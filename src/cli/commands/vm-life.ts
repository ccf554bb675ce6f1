/** `wherry vm`: starting, stopping and changing the virtual machine. */
import { parseArgs } from 'node:util';
import { defineCommand } from 'citty';
import type { DaemonArguments } from '../../host/machine.ts';
import type { VmChange } from '../../host/vm-control.ts';
import { splitReportArguments } from '../args/report-arguments.ts';
import { badUsage } from '../cli-errors.ts';
import type { CommandContext } from '../command-context.ts';
import { describeStatus } from './status.ts';
import { describeUp } from './up.ts';

const CHANGE_FLAGS = {
  cpus: { type: 'string' },
  memory: { type: 'string' },
  disk: { type: 'string' },
  'config-file': { type: 'string' },
} as const;

/** As `wherry status` has it. */
const NOT_RUNNING_EXIT_CODE = 3;

/** Subcommands of `wherry vm`, besides those about the image. */
export function vmLifeCommands(context: CommandContext) {
  return {
    status: statusCommand(context),
    start: startCommand(context),
    stop: stopCommand(context),
    logs: logsCommand(context),
    set: setCommand(context),
    reset: resetCommand(context),
  };
}

function statusCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'status', description: 'Show whether the virtual machine runs: [--json]' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['json']);
      const report = await (await context.control()).status(daemon);
      context.print(own.has('json') ? JSON.stringify(report) : describeStatus(report));
      if (report.vm?.alive !== true) context.setExitCode(NOT_RUNNING_EXIT_CODE);
    },
  });
}

function startCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'start', description: 'Start the daemon with its engine in a virtual machine' },
    run: async ({ rawArgs }) => {
      const { daemon } = splitReportArguments(rawArgs, []);
      context.print(describeUp(await (await context.control()).up(inMachine(daemon))));
    },
  });
}

/** On Linux, the daemon is in namespaces unless it is told otherwise. */
function inMachine(daemon: DaemonArguments): DaemonArguments {
  if (process.platform !== 'linux' || daemon.flags.has('machine')) return daemon;
  return { ...daemon, flags: new Map([...daemon.flags, ['machine', ['qemu']]]) };
}

function stopCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'stop', description: 'Stop the virtual machine with its containers' },
    run: async ({ rawArgs }) => {
      const { daemon } = splitReportArguments(rawArgs, []);
      const outcome = await (await context.control()).down(daemon);
      context.print(outcome === 'not-running' ? 'nothing runs' : 'the virtual machine has stopped');
    },
  });
}

function logsCommand(context: CommandContext) {
  return defineCommand({
    meta: { name: 'logs', description: 'Show the console of the running machine: [--follow]' },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['follow']);
      const path = await (await context.vmControl()).consoleLog(daemon);
      await context.showFile(path, { follow: own.has('follow'), lines: undefined });
    },
  });
}

function setCommand(context: CommandContext) {
  return defineCommand({
    meta: {
      name: 'set',
      description:
        'Change what the virtual machine gets: [--cpus N] [--memory MB] [--disk GB] [--config-file FILE]',
    },
    run: async ({ rawArgs }) => {
      const { change, daemon } = changeOf(rawArgs);
      if (Object.keys(change).length === 0) throw badUsage('name --cpus, --memory or --disk');
      const path = await (await context.vmControl()).configure(daemon, change);
      context.print(`written to ${path}; it counts from the next start of the daemon on`);
    },
  });
}

function changeOf(args: readonly string[]): { change: VmChange; daemon: DaemonArguments } {
  try {
    const { values } = parseArgs({ args: [...args], options: CHANGE_FLAGS });
    const { cpus, memory, disk, 'config-file': configFile } = values;
    return {
      change: {
        ...(cpus === undefined ? {} : { cpus: Number(cpus) }),
        ...(memory === undefined ? {} : { memoryMb: Number(memory) }),
        ...(disk === undefined ? {} : { diskGb: Number(disk) }),
      },
      daemon: { flags: new Map(), ...(configFile === undefined ? {} : { configFile }) },
    };
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : String(error));
  }
}

function resetCommand(context: CommandContext) {
  return defineCommand({
    meta: {
      name: 'reset',
      description: 'Remove all images, containers and volumes of the virtual machine: --force',
    },
    run: async ({ rawArgs }) => {
      const { daemon, own } = splitReportArguments(rawArgs, ['force']);
      if (!own.has('force')) {
        throw badUsage('this removes all images, containers and volumes: say --force');
      }
      const removed = await (await context.vmControl()).reset(daemon);
      context.print(removed ? 'the data disk was removed' : 'there was no data disk');
    },
  });
}
