/** Settings that are kept and have no effect on this engine, and what a client is told of each. */
import type { HostConfig } from '../../wire/container-config.ts';

type Setting = readonly [
  field: keyof HostConfig,
  isSet: (hostConfig: HostConfig) => boolean,
  warning: string,
];

const WINDOWS_ONLY = 'is for Windows containers';
const OLD_KERNELS = 'is gone from the kernels that this engine runs on';
const VERSION_1 = 'takes version 1 control groups';
const NOT_IN_USER_NAMESPACE =
  'takes a privilege outside of the user namespace; owner and mode of the device apply';
/** Everything that can be done with a device. */
const FULL_ACCESS = 'rwm';

const positive = (field: keyof HostConfig, why: string): Setting => [
  field,
  (config) => Number(config[field] ?? 0) > 0,
  `${field} is discarded: it ${why}.`,
];

const SETTINGS: readonly Setting[] = [
  ...(['CpuCount', 'CpuPercent'] as const).map((field) => positive(field, WINDOWS_ONLY)),
  positive('KernelMemory', OLD_KERNELS),
  positive('KernelMemoryTCP', OLD_KERNELS),
  positive('CpuRealtimePeriod', VERSION_1),
  positive('CpuRealtimeRuntime', VERSION_1),
  [
    'PortBindings',
    ({ NetworkMode, PortBindings }) =>
      NetworkMode === 'host' && Object.keys(PortBindings ?? {}).length > 0,
    'Published ports are discarded when using host network mode',
  ],
  [
    'PortBindings',
    ({ NetworkMode, PortBindings, PublishAllPorts }) =>
      NetworkMode === 'none' &&
      (PublishAllPorts === true || Object.keys(PortBindings ?? {}).length > 0),
    'Published ports are discarded when using none network mode',
  ],
  [
    'MemorySwappiness',
    (config) => (config.MemorySwappiness ?? -1) >= 0,
    `MemorySwappiness is discarded: it ${VERSION_1}.`,
  ],
  [
    'OomKillDisable',
    (config) => config.OomKillDisable === true,
    `OomKillDisable is discarded: it ${VERSION_1}.`,
  ],
  [
    'Devices',
    (config) => (config.Devices ?? []).some(({ CgroupPermissions: mode }) => isPartial(mode)),
    `The access mode of Devices is discarded: it ${NOT_IN_USER_NAMESPACE}.`,
  ],
  [
    'DeviceCgroupRules',
    (config) => (config.DeviceCgroupRules ?? []).length > 0,
    `DeviceCgroupRules are discarded: that ${NOT_IN_USER_NAMESPACE}.`,
  ],
  [
    'SecurityOpt',
    (config) => (config.SecurityOpt ?? []).some(namesAnUnavailableModule),
    'AppArmor and SELinux options of SecurityOpt are discarded: neither can be set from a user namespace.',
  ],
];

/** One sentence for each setting that was asked for and has no effect. */
export function ineffectiveSettings(hostConfig: HostConfig): readonly string[] {
  return SETTINGS.filter(([, isSet]) => isSet(hostConfig)).map(([, , warning]) => warning);
}

/** Less than everything; nothing given means everything. */
function isPartial(mode: string): boolean {
  return mode !== '' && [...FULL_ACCESS].some((letter) => !mode.includes(letter));
}

/** Asking for no confinement by a module that does not confine is granted. */
function namesAnUnavailableModule(option: string): boolean {
  const [, module, value] = /^(apparmor|label)[=:](.*)$/.exec(option) ?? [];
  return module !== undefined && value !== 'unconfined' && value !== 'disable';
}
