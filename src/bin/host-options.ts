/** Building the options of a host process from the configuration and from what the machine has. */
import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type ApiAddress, isOpenToNetwork, parseApiAddress } from '../host/api-address.ts';
import type { InheritedSocket } from '../host/api-sockets.ts';
import { dockerConfigDir } from '../host/control/docker-context.ts';
import { StoredCredentials } from '../host/credentials/stored-credentials.ts';
import { certificateDirectories, configHome, userRuntimeDir } from '../host/default-roots.ts';
import { type GroupKeeper, groupKeeper } from '../host/delegation/claim-group.ts';
import { moveToOwnScope, rejoinScope, type ServiceManager } from '../host/delegation/user-scope.ts';
import type { EmitHostEvent } from '../host/host-events.ts';
import type { HostProcessOptions } from '../host/host-process.ts';
import { chooseIdMap } from '../host/namespace/choose-id-map.ts';
import type { UplinkParts } from '../host/namespace/uplink.ts';
import { hasIpv6Route, readHostRoutes, readResolver } from '../host/read-host-facts.ts';
import { systemClock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { detectCgroups } from '../sys/cgroup/cgroup-facts.ts';
import { kernelCgroups } from '../sys/cgroup/cgroup-files.ts';
import type { Command } from '../sys/exec/command.ts';
import { findExecutableSync } from '../sys/exec/find-executable.ts';
import { busEnvironment, definedOnly } from './base-environment.ts';
import type { DaemonConfiguration } from './daemon-configuration.ts';
import { proxiesOf } from './proxy-settings.ts';
import { VERSION } from './version.ts';

/** What differs between programs that run a host. */
export interface HostSurroundings {
  readonly engine: Command;
  readonly searchPath: string;
  readonly inheritedSockets: readonly InheritedSocket[];
  readonly logger: Logger;
  readonly emit: EmitHostEvent;
  readonly cleanUp: () => Promise<void>;
}

/** Containers get `shutdown-timeout` to stop; the engine itself needs a little more. */
const ENGINE_STOP_MARGIN_MS = 5_000;

/** The options of a host. `unavailable` when `--userns-mode=subid` cannot be had. */
export async function hostOptions(
  configuration: DaemonConfiguration,
  surroundings: HostSurroundings,
): Promise<HostProcessOptions> {
  const { settings, roots, runtimePaths, user } = configuration;
  const { logger, searchPath } = surroundings;
  const find = (name: string) => findExecutableSync(name, searchPath);
  const choice = await chooseIdMap({
    uid: user.uid,
    gid: user.gid,
    userName: user.name,
    mode: settings.usernsMode,
    hasMapHelpers: find('newuidmap') !== undefined && find('newgidmap') !== undefined,
  });
  const addresses = apiAddresses(configuration);
  const warnings = [
    ...(choice.warning === undefined ? [] : [choice.warning]),
    ...openDoors(addresses),
  ];
  for (const warning of warnings) logger.warn(warning);
  return {
    version: VERSION,
    paths: runtimePaths,
    dataRoot: roots.dataRoot,
    machine: {
      execRoot: roots.execRoot,
      machineFile: runtimePaths.machineFile,
      searchPath,
      idMap: choice.idMap,
      ...(choice.fallback === undefined ? {} : { fallbackIdMap: choice.fallback }),
      isRoot: user.uid === 0,
      uplink: await uplinkParts(configuration, find),
      clock: systemClock,
      logger,
    },
    apiAddresses: addresses,
    inheritedSockets: surroundings.inheritedSockets,
    engine: surroundings.engine,
    facts: await ownFacts(configuration, warnings),
    credentials: new StoredCredentials({
      configDir: dockerConfigDir(configuration.question.environment, configuration.question.home),
      environment: definedOnly(configuration.question.environment),
      logger,
    }),
    ...(settings.outerHost === undefined ? {} : { outerHost: settings.outerHost }),
    group: keeper(configuration, logger),
    stopTimeoutMs:
      settings.shutdownTimeoutSeconds < 0
        ? undefined
        : settings.shutdownTimeoutSeconds * 1000 + ENGINE_STOP_MARGIN_MS,
    clock: systemClock,
    logger,
    emit: surroundings.emit,
    cleanUp: surroundings.cleanUp,
  };
}

/** The user's systemd is asked for a control group, when there is one. */
function keeper({ user, question }: DaemonConfiguration, logger: Logger): GroupKeeper {
  const runtimeDir = userRuntimeDir(question);
  const manager: ServiceManager = {
    environment: {
      ...busEnvironment(question.environment),
      ...(runtimeDir === undefined ? {} : { XDG_RUNTIME_DIR: runtimeDir }),
    },
    isRoot: user.uid === 0,
    clock: systemClock,
  };
  return groupKeeper({
    files: kernelCgroups,
    detect: detectCgroups,
    moveToOwnScope: () => moveToOwnScope(manager, async () => (await detectCgroups()).ownDir),
    rejoinScope: (unit, subgroup) => rejoinScope(manager, unit, subgroup),
    pid: process.pid,
    isManaged: existsSync('/run/systemd/system'),
    logger,
  });
}

/** The addresses of `-H`, or our own socket. */
export function apiAddresses(configuration: DaemonConfiguration): readonly ApiAddress[] {
  const { settings, runtimePaths } = configuration;
  const texts = settings.hosts.length > 0 ? settings.hosts : [`unix://${runtimePaths.apiSocket}`];
  return texts.map(parseApiAddress);
}

/** What the user should know of these addresses. */
export function openDoors(addresses: readonly ApiAddress[]): readonly string[] {
  return addresses
    .filter(isOpenToNetwork)
    .map(
      ({ text }) =>
        `API is accessible on ${text} without encryption: whoever reaches it can act as you`,
    );
}

async function uplinkParts(
  { runtimePaths, settings }: DaemonConfiguration,
  find: (name: string) => string | undefined,
): Promise<UplinkParts> {
  const tunAccessible = await access('/dev/net/tun', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  return {
    choice: settings.networkDriver,
    programs: { slirp4netns: find('slirp4netns'), pasta: find('pasta') },
    tunAccessible,
    ipv6: await hasIpv6Route(),
    apiSocketPath: runtimePaths.uplinkSocket,
    pidPath: runtimePaths.uplinkPid,
    logPath: runtimePaths.uplinkLog,
  };
}

/** Where vendors and administrators describe devices, and then where the user does. */
function cdiDirs({ settings, question }: DaemonConfiguration): string[] {
  if (settings.cdiSpecDirs.length > 0) return [...settings.cdiSpecDirs];
  return ['/etc/cdi', '/var/run/cdi', join(configHome(question), 'cdi')];
}

/** The word `none` stands for an empty list, which flags cannot tell from no list. */
function sharedPlaces(told: readonly string[]): { sharedPlaces?: string[] } {
  if (told.length === 0) return {};
  return { sharedPlaces: told.filter((place) => place !== 'none') };
}

async function ownFacts(
  configuration: DaemonConfiguration,
  warnings: readonly string[],
): Promise<HostProcessOptions['facts']> {
  const { settings, roots, user, question } = configuration;
  const { logLevel, logFormat, shutdownTimeoutSeconds, defaultRuntime, storageDriver, bip } =
    settings;
  return {
    version: VERSION,
    hostPid: process.pid,
    dataRoot: roots.dataRoot,
    execRoot: roots.execRoot,
    user,
    hostname: hostname(),
    resolver: await readResolver(),
    hostRoutes: [...(await readHostRoutes())],
    hostAddress: reachableAddress(),
    settings: {
      logLevel,
      logFormat,
      shutdownTimeoutSeconds,
      registryMirrors: [...settings.registryMirrors],
      insecureRegistries: [...settings.insecureRegistries],
      proxies: proxiesOf(settings, question.environment),
      certificateDirectories: [...certificateDirectories(question)],
      defaultUserns: settings.defaultUserns,
      offline: settings.offline,
      hostLoopback: settings.hostLoopback,
      privilegedPorts: settings.privilegedPorts,
      maxConcurrentDownloads: settings.maxConcurrentDownloads,
      maxConcurrentUploads: settings.maxConcurrentUploads,
      maxDownloadAttempts: settings.maxDownloadAttempts,
      cdiSpecDirs: cdiDirs(configuration),
      runtimes: { ...settings.runtimes },
      builderGc: settings.builderGc,
      ...sharedPlaces(settings.sharedPlaces),
      additionalImageStores: [...settings.additionalImageStores],
      ...(settings.logDriver === undefined ? {} : { logDriver: settings.logDriver }),
      logOptions: { ...settings.logOptions },
      ...(defaultRuntime === undefined ? {} : { defaultRuntime }),
      ...(storageDriver === undefined ? {} : { storageDriver }),
      ...(bip === undefined ? {} : { bip }),
      ...(settings.fixedCidr === undefined ? {} : { fixedCidr: settings.fixedCidr }),
      ...(settings.ipv6 ? { bridgeIpv6: { subnet: settings.fixedCidrV6 } } : {}),
      addressPools: [...settings.addressPools],
    },
    warnings: [...warnings],
  };
}

/**
 * The first IPv4 address that others can reach this host at; empty without one. It is what `host-gateway` stands
 * for: the host's loopback stays closed to containers.
 */
function reachableAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '';
}
