/** `/info` and `/version`: every key that a Docker 28 client reads. */
import type { RuntimeInfo, SystemInfo } from '../../engine/system/system-info.ts';
import {
  API_VERSION,
  type ApiVersion,
  isAtLeast,
  MIN_API_VERSION,
} from '../../wire/api-version.ts';

/** Go's names for the machine's architecture, as `docker version` shows them. */
const GO_ARCHITECTURE: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
  riscv64: 'riscv64',
  ppc64le: 'ppc64le',
  s390x: 's390x',
};

/** `GET /version`. */
export function toVersion(info: SystemInfo): object {
  const shared = {
    ApiVersion: API_VERSION,
    Arch: GO_ARCHITECTURE[info.architecture] ?? info.architecture,
    BuildTime: '',
    GitCommit: '',
    GoVersion: `node${process.versions.node}`,
    KernelVersion: info.kernelVersion,
    MinAPIVersion: MIN_API_VERSION,
    Os: 'linux',
  };
  return {
    Platform: { Name: 'wherry' },
    Components: [
      {
        Name: 'Engine',
        Version: info.serverVersion,
        Details: { ...shared, Experimental: 'false' },
      },
      { Name: 'conmon', Version: info.monitorVersion, Details: {} },
      ...info.runtimes.map(({ name, version }) => ({ Name: name, Version: version, Details: {} })),
      {
        Name: info.rootlessNetwork.driver,
        Version: info.rootlessNetwork.version,
        Details: {},
      },
    ],
    Version: info.serverVersion,
    Experimental: false,
    ...shared,
  };
}

/** `GET /info`; `nowIso` is the time of the answer. Bridges' hooks were told of up to API 1.49. */
export function toInfo(
  info: SystemInfo,
  { nowIso, version }: { readonly nowIso: string; readonly version: ApiVersion },
): object {
  return {
    ...toInventory(info),
    ...toHost(info),
    ...(isAtLeast(version, '1.50') ? {} : { BridgeNfIptables: false, BridgeNfIp6tables: false }),
    ...toLimits(info),
    ...toRuntimes(info),
    ...toRegistry(info),
    Debug: info.debug,
    NFd: info.usage.openFiles,
    NGoroutines: 0,
    NEventsListener: info.usage.eventListeners,
    SystemTime: nowIso,
    LoggingDriver: info.logDrivers.default,
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: info.serverVersion,
    LiveRestoreEnabled: true,
    Isolation: '',
    SecurityOptions: info.securityOptions,
    ProductLicense: '',
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: info.cdiSpecDirs,
    DiscoveredDevices: info.devices.map((name) => ({ Source: 'cdi', ID: name })),
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: info.logDrivers.all,
    },
    HttpProxy: info.httpProxy,
    HttpsProxy: info.httpsProxy,
    NoProxy: info.noProxy,
    Warnings: info.warnings,
  };
}

function toInventory(info: SystemInfo): object {
  const { running, paused, stopped } = info.containers;
  return {
    ID: info.id,
    Name: info.name,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: info.images,
    Driver: info.storageDriver,
    DriverStatus: info.storageStatus,
    DockerRootDir: info.dataRoot,
  };
}

function toHost(info: SystemInfo): object {
  return {
    KernelVersion: info.kernelVersion,
    OperatingSystem: info.operatingSystem,
    OSVersion: info.osVersion,
    OSType: 'linux',
    Architecture: info.architecture,
    NCPU: info.cpus,
    MemTotal: info.memoryBytes,
    GenericResources: null,
    IPv4Forwarding: true,
  };
}

/** What control groups limit; what is only emulated does not count. */
function toLimits({ cgroupDriver, cgroupVersion, limits }: SystemInfo): object {
  return {
    CgroupDriver: cgroupDriver,
    CgroupVersion: cgroupVersion,
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    CpuCfsPeriod: limits.cpu,
    CpuCfsQuota: limits.cpu,
    CPUShares: limits.cpu,
    CPUSet: limits.cpuset,
    PidsLimit: limits.pids,
    OomKillDisable: false,
  };
}

function toRuntimes(info: SystemInfo): object {
  const commit = { ID: '' };
  const toRuntime = ({ name, path }: RuntimeInfo): [string, object] => [name, { path }];
  return {
    DefaultRuntime: info.defaultRuntime,
    Runtimes: Object.fromEntries(info.runtimes.map(toRuntime)),
    InitBinary: 'docker-init',
    ContainerdCommit: commit,
    RuncCommit: commit,
    InitCommit: commit,
  };
}

function toRegistry(info: SystemInfo): object {
  const { indexServerAddress, insecureRegistries, registryMirrors } = info;
  const index = (name: string, secure: boolean) => ({
    Name: name,
    Mirrors: secure ? registryMirrors : [],
    Secure: secure,
    Official: secure,
  });
  const isCidr = (registry: string) => /^[0-9a-f.:]+\/\d+$/i.test(registry);
  const names = insecureRegistries.filter((registry) => !isCidr(registry));
  return {
    IndexServerAddress: indexServerAddress,
    RegistryConfig: {
      InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...insecureRegistries.filter(isCidr)],
      IndexConfigs: {
        'docker.io': index('docker.io', true),
        ...Object.fromEntries(names.map((name) => [name, index(name, false)])),
      },
      Mirrors: registryMirrors,
    },
  };
}
