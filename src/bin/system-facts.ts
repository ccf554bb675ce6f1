/** What `docker info` says of the machine and of what the engine was built from. */
import { readFile } from 'node:fs/promises';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import { LOG_DRIVERS, mergeLogConfig } from '../engine/containers/log-drivers.ts';
import type { RuntimeInfo } from '../engine/system/system-info.ts';
import type { SystemFacts } from '../engine/system/system-service.ts';
import type { LimitSupport } from '../runtime/limit-support.ts';
import type { EngineParts } from './engine-composition.ts';

/** What the composition found out about its own parts. */
export interface ComposedFacts {
  readonly engineId: string;
  readonly storageDriver: string;
  /** Why that one. */
  readonly driverReason: string;
  readonly defaultRuntime: string;
  readonly runtimes: readonly RuntimeInfo[];
  readonly monitorVersion: string;
  /** What was found damaged or missing at start. */
  readonly findings: readonly string[];
  readonly limits: LimitSupport;
}

/** Docker's index, which `docker login` without a server means. */
const INDEX_SERVER = 'https://index.docker.io/v1/';

/** Words of `uname -m` for node's names. */
const MACHINES: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  arm: 'armv7l',
};

/** Gathers the facts once; they hold for the life of the engine. */
export async function systemFacts(
  parts: EngineParts,
  composed: ComposedFacts,
): Promise<SystemFacts> {
  const { facts } = parts;
  const { settings, uplink } = facts;
  const log = { driver: settings.logDriver, options: settings.logOptions };
  const os = await osRelease();
  return {
    id: composed.engineId,
    name: facts.hostname || hostname(),
    storageDriver: composed.storageDriver,
    storageStatus: [
      ['Supports d_type', 'true'],
      ['userxattr', String(composed.storageDriver === 'overlay')],
      ['Chosen because', composed.driverReason],
    ],
    dataRoot: parts.dataPaths.root,
    kernelVersion: release(),
    operatingSystem: os.get('PRETTY_NAME') ?? 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    architecture: MACHINES[arch()] ?? arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    cgroupDriver: composed.limits.freezer ? 'cgroupfs' : 'none',
    cgroupVersion: facts.cgroup.layout === 'v2' ? '2' : '1',
    limits: composed.limits,
    defaultRuntime: composed.defaultRuntime,
    runtimes: composed.runtimes,
    monitorVersion: composed.monitorVersion,
    securityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'],
    indexServerAddress: INDEX_SERVER,
    insecureRegistries: settings.insecureRegistries,
    cdiSpecDirs: settings.cdiSpecDirs,
    registryMirrors: settings.registryMirrors,
    httpProxy: withoutPassword(settings.proxies.httpProxy),
    httpsProxy: withoutPassword(settings.proxies.httpsProxy),
    noProxy: settings.proxies.noProxy,
    // Clients print these lines as they are; Docker's begin with this word.
    warnings: [...facts.warnings, ...composed.findings, ...missingLimits(composed.limits)].map(
      (text) => `WARNING: ${text}`,
    ),
    serverVersion: parts.version,
    logDrivers: { default: mergeLogConfig(undefined, log).Type, all: LOG_DRIVERS },
    rootlessNetwork: {
      driver: uplink.driver,
      version: uplink.driver === 'none' ? '' : uplink.version,
    },
    debug: settings.logLevel === 'debug',
  };
}

/** Docker's words for what cannot be limited. */
function missingLimits(limits: LimitSupport): readonly string[] {
  const rows: readonly (readonly [boolean, string])[] = [
    [limits.freezer, `No control groups: ${limits.lack}; see "wherry doctor"`],
    [limits.memory, 'No memory limit support'],
    [limits.swap, 'No swap limit support'],
    [limits.cpu, 'No cpu cfs quota support'],
    [limits.cpu, 'No cpu cfs period support'],
    [limits.cpu, 'No cpu shares support'],
    [limits.cpuset, 'No cpuset support'],
    [limits.pids, 'No pids limit support'],
    [limits.ioWeight, 'No io.weight support'],
    [limits.ioWeight, 'No io.weight (per device) support'],
    [limits.io, 'No io.max (rbps) support'],
    [limits.io, 'No io.max (wbps) support'],
    [limits.io, 'No io.max (riops) support'],
    [limits.io, 'No io.max (wiops) support'],
  ];
  return rows.filter(([isSupported]) => !isSupported).map(([, text]) => text);
}

/** The variables of os-release(5); empty when there is no such file. */
async function osRelease(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const lines = text.split('\n').flatMap((line): [string, string][] => {
    const match = /^(\w+)=(?:"(.*)"|(.*))$/.exec(line);
    return match === null ? [] : [[match[1] ?? '', match[2] ?? match[3] ?? '']];
  });
  return new Map(lines);
}

/** dockerd shows the same instead of user and password. */
function withoutPassword(proxy: string): string {
  return proxy.replace(/\/\/[^@/]+@/, '//xxxxx:xxxxx@');
}
