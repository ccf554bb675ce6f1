/** Decoder of `HostConfig`: every field of API 1.51 is kept, whether a verb reads it or not. */
import * as v from 'valibot';
import type {
  DeviceMapping,
  DeviceRequest,
  HostConfig,
  MountRequest,
  PortBinding,
  ThrottleDevice,
  Ulimit,
  WeightDevice,
} from './container-config.ts';
import type { Entries } from './container-schemas.ts';
import { field, flag, integer, struct, text, textMap, texts } from './decode.ts';

const portBinding = struct({
  HostIp: field(text),
  // dockerode users write numbers here; dockerd's decoder refuses them, being kind costs nothing.
  HostPort: field(
    v.union([
      text,
      v.pipe(
        integer,
        v.transform((port) => String(port)),
      ),
    ]),
  ),
} satisfies Entries<PortBinding>);

const mount = struct({
  Type: v.optional(text, ''),
  Source: field(text),
  Target: v.optional(text, ''),
  ReadOnly: field(flag),
  Consistency: field(text),
  BindOptions: field(
    struct({
      Propagation: field(text),
      NonRecursive: field(flag),
      CreateMountpoint: field(flag),
      ReadOnlyNonRecursive: field(flag),
      ReadOnlyForceRecursive: field(flag),
    }),
  ),
  VolumeOptions: field(
    struct({
      NoCopy: field(flag),
      Labels: field(textMap),
      DriverConfig: field(struct({ Name: field(text), Options: field(textMap) })),
      Subpath: field(text),
    }),
  ),
  ImageOptions: field(struct({ Subpath: field(text) })),
  TmpfsOptions: field(
    struct({
      SizeBytes: field(integer),
      Mode: field(integer),
      Options: field(v.array(texts)),
    }),
  ),
} satisfies Entries<MountRequest>);

const device = struct({
  PathOnHost: v.optional(text, ''),
  PathInContainer: v.optional(text, ''),
  CgroupPermissions: v.optional(text, ''),
} satisfies Entries<DeviceMapping>);

const deviceRequest = struct({
  Driver: field(text),
  Count: field(integer),
  DeviceIDs: field(texts),
  Capabilities: field(v.array(texts)),
  Options: field(textMap),
} satisfies Entries<DeviceRequest>);

const ulimit = struct({
  Name: v.optional(text, ''),
  Hard: v.optional(integer, 0),
  Soft: v.optional(integer, 0),
} satisfies Entries<Ulimit>);

const weightDevice = struct({
  Path: v.optional(text, ''),
  Weight: v.optional(integer, 0),
} satisfies Entries<WeightDevice>);

const throttleDevices = v.array(
  struct({
    Path: v.optional(text, ''),
    Rate: v.optional(integer, 0),
  } satisfies Entries<ThrottleDevice>),
);

const resourceEntries = {
  CpuShares: field(integer),
  Memory: field(integer),
  NanoCpus: field(integer),
  CgroupParent: field(text),
  BlkioWeight: field(integer),
  BlkioWeightDevice: field(v.array(weightDevice)),
  BlkioDeviceReadBps: field(throttleDevices),
  BlkioDeviceWriteBps: field(throttleDevices),
  BlkioDeviceReadIOps: field(throttleDevices),
  BlkioDeviceWriteIOps: field(throttleDevices),
  CpuPeriod: field(integer),
  CpuQuota: field(integer),
  CpuRealtimePeriod: field(integer),
  CpuRealtimeRuntime: field(integer),
  CpusetCpus: field(text),
  CpusetMems: field(text),
  Devices: field(v.array(device)),
  DeviceCgroupRules: field(texts),
  DeviceRequests: field(v.array(deviceRequest)),
  KernelMemory: field(integer),
  KernelMemoryTCP: field(integer),
  MemoryReservation: field(integer),
  MemorySwap: field(integer),
  MemorySwappiness: field(integer),
  OomKillDisable: field(flag),
  PidsLimit: field(integer),
  Ulimits: field(v.array(ulimit)),
  CpuCount: field(integer),
  CpuPercent: field(integer),
  IOMaximumIOps: field(integer),
  IOMaximumBandwidth: field(integer),
};

const hostConfigEntries = {
  ...resourceEntries,
  Binds: field(texts),
  ContainerIDFile: field(text),
  LogConfig: field(struct({ Type: field(text), Config: field(textMap) })),
  NetworkMode: field(text),
  PortBindings: field(v.record(text, v.nullable(v.array(portBinding)))),
  RestartPolicy: field(struct({ Name: field(text), MaximumRetryCount: field(integer) })),
  AutoRemove: field(flag),
  VolumeDriver: field(text),
  VolumesFrom: field(texts),
  Mounts: field(v.array(mount)),
  ConsoleSize: field(v.array(integer)),
  Annotations: field(textMap),
  CapAdd: field(texts),
  CapDrop: field(texts),
  CgroupnsMode: field(text),
  Dns: field(texts),
  DnsOptions: field(texts),
  DnsSearch: field(texts),
  ExtraHosts: field(texts),
  GroupAdd: field(texts),
  IpcMode: field(text),
  Cgroup: field(text),
  Links: field(texts),
  OomScoreAdj: field(integer),
  PidMode: field(text),
  Privileged: field(flag),
  PublishAllPorts: field(flag),
  ReadonlyRootfs: field(flag),
  SecurityOpt: field(texts),
  StorageOpt: field(textMap),
  Tmpfs: field(textMap),
  UTSMode: field(text),
  UsernsMode: field(text),
  ShmSize: field(integer),
  Sysctls: field(textMap),
  Runtime: field(text),
  Isolation: field(text),
  MaskedPaths: field(texts),
  ReadonlyPaths: field(texts),
  Init: field(flag),
} satisfies Entries<HostConfig>;

/** `Resources` and `RestartPolicy`, as sent to update. */
export const UpdateConfigSchema = struct({
  ...resourceEntries,
  RestartPolicy: hostConfigEntries.RestartPolicy,
}) satisfies v.GenericSchema<unknown, HostConfig>;

/** `HostConfig` as sent to create. */
export const HostConfigSchema = struct(hostConfigEntries) satisfies v.GenericSchema<
  unknown,
  HostConfig
>;
