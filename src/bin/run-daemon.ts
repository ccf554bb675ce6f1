/** Life of the host process: `wherry daemon`. */
import { rm, writeFile } from 'node:fs/promises';
import { makeProbeLinks, probePlaces, removeProbeLinks } from '../host/control/probe-links.ts';
import type { HostEvent } from '../host/host-events.ts';
import { HostProcess } from '../host/host-process.ts';
import type { DaemonArguments } from '../host/machine.ts';
import { VmHost } from '../host/vm/vm-host.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Command } from '../sys/exec/command.ts';
import { configureProcesses } from '../sys/exec/process-settings.ts';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { baseEnvironment, engineEnvironment } from './base-environment.ts';
import { machineKind } from './choose-machine.ts';
import { createLogger, tolerateLostOutput } from './console-logger.ts';
import { configureDaemon, type DaemonConfiguration } from './daemon-configuration.ts';
import { type HostSurroundings, hostOptions } from './host-options.ts';
import { inheritedSockets } from './inherited-sockets.ts';
import { programCommand } from './program-paths.ts';
import { VERSION } from './version.ts';
import { vmHostOptions } from './vm-host-options.ts';

/** How the daemon is run. */
export interface DaemonRun {
  readonly daemon: DaemonArguments;
  /** Only say whether the configuration is good. */
  readonly validate: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The engine's program; our own when absent. */
  readonly engine?: Command;
}

/** Runs the daemon to its end; resolves to the exit code. Rejects for a bad configuration. */
export async function runDaemon(run: DaemonRun): Promise<number> {
  tolerateLostOutput();
  const configuration = await configureDaemon(run.daemon, run.environment);
  if (run.validate) {
    process.stderr.write('configuration OK\n');
    return 0;
  }
  const { settings } = configuration;
  const logger = createLogger({ level: settings.logLevel, format: settings.logFormat }, 'host');
  emit({ event: 'starting', pid: process.pid, version: VERSION });
  let failure: unknown;
  try {
    failure = await serve(run, configuration, logger);
  } catch (error) {
    failure = error;
  }
  if (failure === undefined) {
    emit({ event: 'exiting' });
    return 0;
  }
  logger.error(messageOf(failure), { error: failure });
  emit({ event: 'exiting', error: messageOf(failure) });
  return 1;
}

/** Resolves when the host has ended, with the reason when it was not asked to. */
async function serve(
  run: DaemonRun,
  configuration: DaemonConfiguration,
  logger: Logger,
): Promise<unknown> {
  const { roots } = configuration;
  const environment = baseEnvironment(run.environment);
  configureProcesses({ environment });
  await ensurePrivateDir(roots.dataRoot);
  const surroundings = {
    searchPath: environment['PATH'] ?? '',
    logger,
    emit,
    cleanUp: () => withdraw(configuration),
  };
  const host =
    machineKind(configuration.settings.machine) === 'namespace'
      ? await startHost(run, configuration, surroundings)
      : await VmHost.start(await vmHostOptions(configuration, surroundings));
  obeySignals(host, logger);
  await announce(configuration);
  return host.ended;
}

function startHost(
  run: DaemonRun,
  configuration: DaemonConfiguration,
  surroundings: Omit<HostSurroundings, 'engine' | 'inheritedSockets'>,
): Promise<HostProcess> {
  const { execRoot } = configuration.roots;
  const engine = run.engine ?? programCommand('engine', []);
  return hostOptions(configuration, {
    ...surroundings,
    engine: {
      file: engine.file,
      args: [...engine.args, '--exec-root', execRoot],
      env: engineEnvironment(run.environment, execRoot),
    },
    inheritedSockets: inheritedSockets(run.environment, process.pid),
  }).then((options) => HostProcess.start(options));
}

/** Makes the host findable: links where tools probe, and the pid file. */
async function announce({
  roots,
  settings,
  runtimePaths,
  question,
}: DaemonConfiguration): Promise<void> {
  if (roots.isDefaultExecRoot) await makeProbeLinks(runtimePaths, question);
  if (settings.pidFile !== undefined) await writeFile(settings.pidFile, `${process.pid}\n`);
}

async function withdraw({ settings, runtimePaths, question }: DaemonConfiguration): Promise<void> {
  await removeProbeLinks(runtimePaths, probePlaces(question));
  if (settings.pidFile !== undefined) await rm(settings.pidFile, { force: true });
}

/** The first signal stops in order, a second one does not wait for containers any more. */
function obeySignals(host: HostProcess | VmHost, logger: Logger): void {
  let asked = false;
  const report = (error: unknown) => logger.error(messageOf(error), { error });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      logger.info(asked ? 'stopping without waiting for containers' : 'stopping', { signal });
      (asked ? host.stopNow() : host.stop()).catch(report);
      asked = true;
    });
  }
  process.on('SIGHUP', () => logger.info('settings take effect at the next start'));
}

function emit(event: HostEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
