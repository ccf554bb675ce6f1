/** `HostControl` for this machine: what `wherry` commands do with the daemon. */
import { existsSync, readlinkSync } from 'node:fs';
import type { MachineReport } from '../handshake/machine-report.ts';
import {
  CONTEXT_NAME,
  currentContext,
  dockerConfigDir,
  readDockerContext,
  removeDockerContext,
  selectContext,
  writeDockerContext,
} from '../host/control/docker-context.ts';
import { examine } from '../host/control/doctor.ts';
import { networkGraph } from '../host/control/network-graph.ts';
import { askStatus, askStop } from '../host/control/operator-client.ts';
import { probePlaces, removeProbeLinks } from '../host/control/probe-links.ts';
import { readStatus } from '../host/control/read-status.ts';
import { startInBackground } from '../host/control/start-in-background.ts';
import { checkStorage } from '../host/control/storage-check.ts';
import { HostProcess } from '../host/host-process.ts';
import type {
  ContextReport,
  DaemonArguments,
  DoctorCheck,
  DownOutcome,
  HostControl,
  UpReport,
} from '../host/machine.ts';
import { findMachineNamespaces } from '../host/namespace/leftovers.ts';
import { VmMachine } from '../host/vm/vm-machine.ts';
import { configureProcesses } from '../sys/exec/process-settings.ts';
import { ensurePrivateDir } from '../sys/fs/private-dir.ts';
import { baseEnvironment, definedOnly } from './base-environment.ts';
import { machineKind } from './choose-machine.ts';
import { createLogger } from './console-logger.ts';
import { configureDaemon, type DaemonConfiguration } from './daemon-configuration.ts';
import { apiAddresses, hostOptions } from './host-options.ts';
import { programCommand } from './program-paths.ts';
import { VERSION } from './version.ts';
import { vmHostOptions } from './vm-host-options.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const START_TIMEOUT_MS = 60_000;
/** A virtual machine has a time limit of its own, and says what it was doing. */
const VM_START_TIMEOUT_MS = 300_000;

/** The control of this user's daemon. `environment` is the one commands and daemon live in. */
export function hostControl(environment: Environment): HostControl {
  configureProcesses({ environment: baseEnvironment(environment) });
  const configured = (daemon: DaemonArguments) => configureDaemon(daemon, environment);
  return {
    up: async (daemon) => up(await configured(daemon), daemon, environment),
    down: async (daemon) => down(await configured(daemon), environment),
    status: async (daemon) => status(await configured(daemon)),
    doctor: async (daemon) => doctor(await configured(daemon), environment),
    checkStorage: async (daemon, options) =>
      checkStorage((await configured(daemon)).runtimePaths.apiSocket, options),
    networkGraph: async (daemon) => networkGraph((await configured(daemon)).runtimePaths.apiSocket),
    logPath: async (daemon) => (await configured(daemon)).dataPaths.daemonLog,
    context: async (daemon, action) => context(await configured(daemon), environment, action),
  };
}

async function up(
  configuration: DaemonConfiguration,
  daemon: DaemonArguments,
  environment: Environment,
): Promise<UpReport> {
  const { runtimePaths, dataPaths, roots } = configuration;
  const running = await askStatus(runtimePaths.hostSocket);
  const hosts = running?.hosts ?? (await startDaemon(configuration, daemon, environment));
  const host = hosts[0] ?? `unix://${runtimePaths.apiSocket}`;
  const report = await askStatus(runtimePaths.hostSocket);
  return {
    outcome: running === undefined ? 'started' : 'already-running',
    host,
    links: roots.isDefaultExecRoot ? ownLinks(configuration) : [],
    warnings: report?.warnings ?? [],
    logPath: dataPaths.daemonLog,
    ...(await tryWriteContext(configuration, environment, host)),
  };
}

async function startDaemon(
  { dataPaths, user, settings }: DaemonConfiguration,
  daemon: DaemonArguments,
  environment: Environment,
): Promise<readonly string[]> {
  await ensurePrivateDir(dataPaths.root);
  const flags = [...daemon.flags].flatMap(([name, values]) =>
    values.map((value) => `--${name}=${value}`),
  );
  const file = daemon.configFile === undefined ? [] : [`--config-file=${daemon.configFile}`];
  const command = programCommand('host', [...flags, ...file]);
  return startInBackground({
    // Settings may come from variables, and the engine takes proxies and certificates from them.
    command: { ...command, env: definedOnly(environment), cwd: user.home },
    logPath: dataPaths.daemonLog,
    timeoutMs:
      machineKind(settings.machine) === 'namespace' ? START_TIMEOUT_MS : VM_START_TIMEOUT_MS,
  });
}

/** The context is a convenience: a docker configuration that cannot be written is no reason to fail. */
async function tryWriteContext(
  { user }: DaemonConfiguration,
  environment: Environment,
  host: string,
): Promise<Pick<UpReport, 'context'>> {
  try {
    await writeDockerContext(dockerConfigDir(environment, user.home), host);
    return { context: CONTEXT_NAME };
  } catch {
    return {};
  }
}

function ownLinks({ runtimePaths, question }: DaemonConfiguration): readonly string[] {
  return probePlaces(question).filter((place) => leadsTo(place, runtimePaths.apiSocket));
}

async function down(
  configuration: DaemonConfiguration,
  environment: Environment,
): Promise<DownOutcome> {
  const { runtimePaths, question, roots } = configuration;
  if (await askStop(runtimePaths.hostSocket)) return 'stopped';
  const links = probePlaces(question);
  if (await endLeftMachine(configuration, environment)) {
    await removeProbeLinks(runtimePaths, links);
    return 'cleaned';
  }
  const left =
    existsSync(runtimePaths.machineFile) || (await findMachineNamespaces(roots.execRoot)).size > 0;
  if (!left) {
    await removeProbeLinks(runtimePaths, links);
    return 'not-running';
  }
  const options = await hostOptions(configuration, {
    engine: programCommand('engine', []),
    searchPath: baseEnvironment(environment)['PATH'] ?? '',
    inheritedSockets: [],
    logger: createLogger({ level: 'warn', format: 'text' }, 'down'),
    emit: () => undefined,
    cleanUp: () => removeProbeLinks(runtimePaths, links),
  });
  await HostProcess.end(options);
  return 'cleaned';
}

/** A virtual machine whose host is gone is stopped in order, as its host would. */
async function endLeftMachine(
  configuration: DaemonConfiguration,
  environment: Environment,
): Promise<boolean> {
  if (!existsSync(configuration.runtimePaths.vmRecord)) return false;
  const { machine } = await vmHostOptions(configuration, {
    searchPath: baseEnvironment(environment)['PATH'] ?? '',
    logger: createLogger({ level: 'warn', format: 'text' }, 'down'),
    emit: () => undefined,
    cleanUp: async () => undefined,
  });
  return VmMachine.end(machine);
}

function status({ roots, runtimePaths }: DaemonConfiguration): Promise<MachineReport> {
  const { hostSocket, machineFile, vmRecord } = runtimePaths;
  return readStatus({ version: VERSION, ...roots, hostSocket, machineFile, vmRecord });
}

function doctor(
  { user, runtimePaths }: DaemonConfiguration,
  environment: Environment,
): Promise<readonly DoctorCheck[]> {
  const searchPath = baseEnvironment(environment)['PATH'] ?? '';
  const { apiSocket } = runtimePaths;
  return examine({ uid: user.uid, userName: user.name, searchPath, apiSocket });
}

async function context(
  configuration: DaemonConfiguration,
  environment: Environment,
  action: 'show' | 'use' | 'remove',
): Promise<ContextReport> {
  const dir = dockerConfigDir(environment, configuration.user.home);
  const usual = apiAddresses(configuration)[0]?.text ?? '';
  if (action === 'remove') await removeDockerContext(dir);
  if (action === 'use') {
    if ((await readDockerContext(dir)) === undefined) await writeDockerContext(dir, usual);
    await selectContext(dir, CONTEXT_NAME);
  }
  const written = await readDockerContext(dir);
  return {
    name: CONTEXT_NAME,
    host: written ?? usual,
    current: (await currentContext(dir)) === CONTEXT_NAME,
    written: written !== undefined,
  };
}

function leadsTo(place: string, target: string): boolean {
  try {
    return readlinkSync(place) === target;
  } catch {
    return false;
  }
}
