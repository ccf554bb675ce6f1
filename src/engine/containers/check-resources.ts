/** What of a container's limits contradicts itself or is out of range, with Docker's texts. */
import type { HostConfig } from '../../wire/container-config.ts';
import { invalidHostConfig } from './host-config-errors.ts';

/** Tells why the settings are refused, or nothing. */
type Check = (resources: HostConfig) => string | undefined;

/** The least that a container starts with. */
const LEAST_MEMORY = 6 << 20;
const [SHORTEST_PERIOD_US, LONGEST_PERIOD_US] = [1000, 1_000_000];
const SHORTEST_QUOTA_US = 1000;
const [LEAST_BLKIO_WEIGHT, MOST_BLKIO_WEIGHT] = [10, 1000];
const NUMBER_LIST = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;
/** Type, numbers and access of devices, as in the kernel's `devices.allow`. */
const DEVICE_RULE = /^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/;

const CHECKS: readonly Check[] = [checkMemory, checkCpu, checkCpuset, checkBlockIo, checkDevices];

/**
 * Throws `invalid-argument`. `update`: the settings are a change of a container that has others already, so what is
 * missing may be there.
 */
export function checkResources(resources: HostConfig, update = false): void {
  for (const check of CHECKS) {
    const refusal = check(resources);
    if (refusal !== undefined) throw invalidHostConfig(refusal);
  }
  const { Memory = 0, MemorySwap = 0 } = resources;
  if (!update && Memory === 0 && MemorySwap > 0) {
    throw invalidHostConfig(
      'You should always set the Memory limit when using Memoryswap limit, see usage',
    );
  }
}

function checkMemory(resources: HostConfig): string | undefined {
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness } = resources;
  if (Memory !== 0 && Memory < LEAST_MEMORY) return 'Minimum memory limit allowed is 6MB';
  if (Memory > 0 && MemorySwap > 0 && MemorySwap < Memory) {
    return 'Minimum memoryswap limit should be larger than memory limit, see usage';
  }
  const swappiness = MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100) {
    return `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`;
  }
  if (MemoryReservation > 0 && MemoryReservation < LEAST_MEMORY) {
    return 'Minimum memory reservation allowed is 6MB';
  }
  if (Memory > 0 && Memory < MemoryReservation) {
    return 'Minimum memory limit can not be less than memory reservation limit, see usage';
  }
  return undefined;
}

function checkCpu(resources: HostConfig): string | undefined {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, CpuShares = 0 } = resources;
  const conflict = (other: string) =>
    `Conflicting options: Nano CPUs and ${other} cannot both be set`;
  if (NanoCpus > 0 && CpuPeriod > 0) return conflict('CPU Period');
  if (NanoCpus > 0 && CpuQuota > 0) return conflict('CPU Quota');
  if (NanoCpus < 0) return 'Range of CPUs is from 0.01 upwards';
  if (CpuShares < 0) {
    return `invalid CPU shares (${CpuShares}): value must be a positive integer`;
  }
  if (CpuPeriod !== 0 && (CpuPeriod < SHORTEST_PERIOD_US || CpuPeriod > LONGEST_PERIOD_US)) {
    return 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)';
  }
  if (CpuQuota > 0 && CpuQuota < SHORTEST_QUOTA_US) {
    return 'CPU cfs quota can not be less than 1ms (i.e. 1000)';
  }
  return undefined;
}

function checkCpuset({ CpusetCpus = '', CpusetMems = '' }: HostConfig): string | undefined {
  const isList = (text: string) => text === '' || NUMBER_LIST.test(text);
  if (!isList(CpusetCpus)) return `Invalid value ${CpusetCpus} for cpuset cpus`;
  if (!isList(CpusetMems)) return `Invalid value ${CpusetMems} for cpuset mems`;
  return undefined;
}

function checkBlockIo(resources: HostConfig): string | undefined {
  const { BlkioWeight = 0, BlkioWeightDevice, IOMaximumBandwidth, IOMaximumIOps } = resources;
  const inRange = (weight: number) => weight >= LEAST_BLKIO_WEIGHT && weight <= MOST_BLKIO_WEIGHT;
  const weights = [
    ...(BlkioWeight === 0 ? [] : [BlkioWeight]),
    ...(BlkioWeightDevice ?? []).map(({ Weight }) => Weight),
  ];
  if (!weights.every(inRange)) return 'Range of blkio weight is from 10 to 1000';
  if (IOMaximumBandwidth || IOMaximumIOps) {
    return 'Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps';
  }
  return undefined;
}

function checkDevices({ DeviceCgroupRules, Devices }: HostConfig): string | undefined {
  const badRule = (DeviceCgroupRules ?? []).find((rule) => !DEVICE_RULE.test(rule));
  if (badRule !== undefined) return `invalid device cgroup rule format: '${badRule}'`;
  const badMode = (Devices ?? []).find(({ CgroupPermissions: mode }) => !/^[rwm]*$/.test(mode));
  return badMode === undefined
    ? undefined
    : `invalid device mode: ${badMode.CgroupPermissions} of ${badMode.PathOnHost}`;
}
