/** What `docker info` says of the machine and of what the engine was built from. */
import { readFile } from 'node:fs/promises';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import type { RuntimeInfo } from '../engine/system/system-info.ts';
import type { SystemFacts } from '../engine/system/system-service.ts';
import type { EngineParts } from './engine-composition.ts';

/** What the composition found out about its own parts. */
export interface ComposedFacts {
  readonly engineId: string;
  readonly storageDriver: string;
  readonly defaultRuntime: string;
  readonly runtimes: readonly RuntimeInfo[];
  readonly monitorVersion: string;
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
  const { facts, environment } = parts;
  const { settings, uplink } = facts;
  const os = await osRelease();
  return {
    id: composed.engineId,
    name: facts.hostname || hostname(),
    storageDriver: composed.storageDriver,
    storageStatus: [
      ['Supports d_type', 'true'],
      ['userxattr', String(composed.storageDriver === 'overlay')],
    ],
    dataRoot: parts.dataPaths.root,
    kernelVersion: release(),
    operatingSystem: os.get('PRETTY_NAME') ?? 'Linux',
    osVersion: os.get('VERSION_ID') ?? '',
    architecture: MACHINES[arch()] ?? arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    cgroupDriver: 'none',
    cgroupVersion: facts.cgroup.layout === 'v1' ? '1' : '2',
    defaultRuntime: composed.defaultRuntime,
    runtimes: composed.runtimes,
    monitorVersion: composed.monitorVersion,
    securityOptions: ['name=seccomp,profile=builtin', 'name=rootless', 'name=cgroupns'],
    indexServerAddress: INDEX_SERVER,
    insecureRegistries: settings.insecureRegistries,
    registryMirrors: settings.registryMirrors,
    httpProxy: environment['HTTP_PROXY'] ?? environment['http_proxy'] ?? '',
    httpsProxy: environment['HTTPS_PROXY'] ?? environment['https_proxy'] ?? '',
    noProxy: environment['NO_PROXY'] ?? environment['no_proxy'] ?? '',
    // Clients print these lines as they are; Docker's begin with this word.
    warnings: [
      ...facts.warnings,
      'No cgroup limits: resource settings of containers have no effect',
    ].map((text) => `WARNING: ${text}`),
    serverVersion: parts.version,
    rootlessNetwork: {
      driver: uplink.driver,
      version: uplink.driver === 'none' ? '' : uplink.version,
    },
    debug: settings.logLevel === 'debug',
  };
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
