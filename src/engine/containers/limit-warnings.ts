/** Limits that need control groups, and what a client is told when there are none. */
import type { HostConfig } from '../../wire/container-config.ts';

type Limit = readonly [name: string, isSet: (hostConfig: HostConfig) => boolean];

const isPositive = (value: number | null | undefined): boolean => (value ?? 0) > 0;
const isGiven = (list: readonly unknown[] | string | null | undefined): boolean =>
  (list?.length ?? 0) > 0;

const LIMITS: readonly Limit[] = [
  ['memory limit', (config) => isPositive(config.Memory)],
  ['memory reservation', (config) => isPositive(config.MemoryReservation)],
  ['swap limit', (config) => (config.MemorySwap ?? 0) !== 0],
  ['CPU shares', (config) => isPositive(config.CpuShares)],
  [
    'CPU quota',
    (config) => [config.NanoCpus, config.CpuQuota, config.CpuPeriod].some((it) => isPositive(it)),
  ],
  ['CPU set', (config) => isGiven(config.CpusetCpus) || isGiven(config.CpusetMems)],
  ['block I/O weight', (config) => isPositive(config.BlkioWeight)],
  ['block I/O limit of devices', hasDeviceLimit],
  ['PIDs limit', (config) => isPositive(config.PidsLimit)],
  ['device cgroup rules', (config) => isGiven(config.DeviceCgroupRules)],
];

function hasDeviceLimit(config: HostConfig): boolean {
  return [
    config.BlkioWeightDevice,
    config.BlkioDeviceReadBps,
    config.BlkioDeviceWriteBps,
    config.BlkioDeviceReadIOps,
    config.BlkioDeviceWriteIOps,
  ].some(isGiven);
}

/** One sentence for each limit that was asked for and has no effect. */
export function limitWarnings(hostConfig: HostConfig): readonly string[] {
  return LIMITS.filter(([, isSet]) => isSet(hostConfig)).map(
    ([name]) => `The ${name} is discarded: no control group is delegated to this user.`,
  );
}
