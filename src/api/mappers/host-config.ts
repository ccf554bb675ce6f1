/** `HostConfig` as Docker echoes it: everything that was asked for, and Docker's defaults for the rest. */
import type { HostConfig } from '../../wire/container-config.ts';

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

const DEFAULT_MASKED_PATHS: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];

const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/** Every key that Docker always writes, with the value it has when nothing was asked for. */
const DEFAULTS = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: 'json-file', Config: {} },
  NetworkMode: 'bridge',
  PortBindings: {},
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'private',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: DEFAULT_SHM_BYTES,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
} as const satisfies HostConfig;

/** The echo of `hostConfig`; `runtimeName` is the runtime that was chosen when none was asked for. */
export function toHostConfig(hostConfig: HostConfig, runtimeName: string): HostConfig {
  return {
    ...DEFAULTS,
    ...hostConfig,
    Runtime: hostConfig.Runtime || runtimeName,
    NetworkMode: networkMode(hostConfig),
    LogConfig: {
      Type: hostConfig.LogConfig?.Type || DEFAULTS.LogConfig.Type,
      Config: hostConfig.LogConfig?.Config ?? {},
    },
    RestartPolicy: {
      Name: hostConfig.RestartPolicy?.Name || 'no',
      MaximumRetryCount: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    PortBindings: echoPortBindings(hostConfig),
    ShmSize: hostConfig.ShmSize || DEFAULT_SHM_BYTES,
    CgroupnsMode: hostConfig.CgroupnsMode || DEFAULTS.CgroupnsMode,
    IpcMode: hostConfig.IpcMode || DEFAULTS.IpcMode,
    ...unsetLimits(hostConfig),
    ...protectedPaths(hostConfig),
  };
}

/** Docker's rule: `default` and nothing mean the bridge. */
export function networkMode(hostConfig: HostConfig): string {
  const mode = hostConfig.NetworkMode ?? '';
  return mode === '' || mode === 'default' ? 'bridge' : mode;
}

/** The CLI always sends these; what means "no limit" is echoed as null. */
function unsetLimits(
  hostConfig: HostConfig,
): Required<Pick<HostConfig, 'MemorySwappiness' | 'OomKillDisable' | 'PidsLimit'>> {
  const { MemorySwappiness, OomKillDisable, PidsLimit } = hostConfig;
  return {
    MemorySwappiness: MemorySwappiness === -1 ? null : (MemorySwappiness ?? null),
    OomKillDisable: OomKillDisable || null,
    PidsLimit: (PidsLimit ?? 0) > 0 ? (PidsLimit ?? null) : null,
  };
}

function echoPortBindings(hostConfig: HostConfig): NonNullable<HostConfig['PortBindings']> {
  const echoed = Object.entries(hostConfig.PortBindings ?? {}).map(([port, bindings]) => [
    port,
    bindings?.map(({ HostIp = '', HostPort = '' }) => ({ HostIp, HostPort })) ?? null,
  ]);
  return Object.fromEntries(echoed);
}

/** Privileged containers have neither list; an empty list that was asked for stays empty. */
function protectedPaths(
  hostConfig: HostConfig,
): Required<Pick<HostConfig, 'MaskedPaths' | 'ReadonlyPaths'>> {
  const privileged = hostConfig.Privileged === true;
  return {
    MaskedPaths: hostConfig.MaskedPaths ?? (privileged ? null : DEFAULT_MASKED_PATHS),
    ReadonlyPaths: hostConfig.ReadonlyPaths ?? (privileged ? null : DEFAULT_READONLY_PATHS),
  };
}
