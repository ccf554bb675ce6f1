/** From Docker's limits to the files of a version 2 control group. Pure; numbers as in the kernel's cgroup-v2 page. */
import type { Resources } from '../../wire/container-config.ts';

/** A file of a group, the controller that it belongs to, and what to write. */
export interface GroupSetting {
  readonly controller: 'memory' | 'cpu' | 'cpuset' | 'pids' | 'io';
  readonly file: string;
  readonly text: string;
}

/** Device numbers of a path, as `MAJOR:MINOR`. */
export type DeviceNumbers = ReadonlyMap<string, string>;

const DEFAULT_PERIOD_US = 100_000;
/** The ranges of shares (version 1) and of weights (version 2). */
const [FEWEST_SHARES, MOST_SHARES] = [2, 262_144];
const [LEAST_WEIGHT, MOST_WEIGHT] = [1, 10_000];
/** Docker's block weights go from 10 to 1000. */
const [LEAST_BLKIO_WEIGHT, MOST_BLKIO_WEIGHT] = [10, 1000];

/**
 * What to write for `resources`, in an order that the kernel takes. Limits that are not set are left out, except
 * where zero or a negative number says "none" (`PidsLimit`, `MemorySwap`).
 */
export function groupSettings(
  resources: Resources,
  devices: DeviceNumbers = new Map(),
): readonly GroupSetting[] {
  return [
    ...memorySettings(resources),
    ...cpuSettings(resources),
    ...cpusetSettings(resources),
    ...pidsSettings(resources),
    ...ioSettings(resources, devices),
  ];
}

/** Paths of all devices that `resources` names. */
export function limitedDevices(resources: Resources): readonly string[] {
  const lists = [
    resources.BlkioWeightDevice,
    resources.BlkioDeviceReadBps,
    resources.BlkioDeviceWriteBps,
    resources.BlkioDeviceReadIOps,
    resources.BlkioDeviceWriteIOps,
  ];
  return [...new Set(lists.flatMap((list) => (list ?? []).map(({ Path }) => Path)))];
}

/** Version 1 shares as a version 2 weight: the line through both ends of the ranges, which runc and crun draw too. */
export function weightOfShares(shares: number): number {
  const bounded = Math.min(Math.max(shares, FEWEST_SHARES), MOST_SHARES);
  const slope = (MOST_WEIGHT - LEAST_WEIGHT) / (MOST_SHARES - FEWEST_SHARES);
  return LEAST_WEIGHT + Math.floor((bounded - FEWEST_SHARES) * slope);
}

function memorySettings({ Memory = 0, MemorySwap = 0, MemoryReservation = 0 }: Resources) {
  const memory = (file: string, value: number | 'max') => setting('memory', file, value);
  return [
    ...(Memory > 0 ? [memory('memory.max', Memory)] : []),
    ...(MemoryReservation > 0 ? [memory('memory.low', MemoryReservation)] : []),
    ...(MemorySwap < 0 ? [memory('memory.swap.max', 'max')] : []),
    // Docker counts memory and swap together, the kernel swap alone.
    ...(MemorySwap > 0 ? [memory('memory.swap.max', Math.max(MemorySwap - Memory, 0))] : []),
  ];
}

function cpuSettings({ CpuShares = 0, CpuPeriod = 0, CpuQuota = 0, NanoCpus = 0 }: Resources) {
  const period = CpuPeriod > 0 ? CpuPeriod : DEFAULT_PERIOD_US;
  const quota = NanoCpus > 0 ? Math.floor((NanoCpus * period) / 1e9) : CpuQuota;
  const isSet = NanoCpus > 0 || CpuQuota !== 0 || CpuPeriod > 0;
  return [
    ...(CpuShares > 0 ? [setting('cpu', 'cpu.weight', weightOfShares(CpuShares))] : []),
    ...(isSet ? [setting('cpu', 'cpu.max', `${quota > 0 ? quota : 'max'} ${period}`)] : []),
  ];
}

function cpusetSettings({ CpusetCpus = '', CpusetMems = '' }: Resources) {
  return [
    ...(CpusetCpus === '' ? [] : [setting('cpuset', 'cpuset.cpus', CpusetCpus)]),
    ...(CpusetMems === '' ? [] : [setting('cpuset', 'cpuset.mems', CpusetMems)]),
  ];
}

function pidsSettings({ PidsLimit }: Resources) {
  if (PidsLimit === undefined || PidsLimit === null) return [];
  return [setting('pids', 'pids.max', PidsLimit > 0 ? PidsLimit : 'max')];
}

function ioSettings(resources: Resources, devices: DeviceNumbers): readonly GroupSetting[] {
  const { BlkioWeight = 0, BlkioWeightDevice } = resources;
  const limits = [
    ['rbps', resources.BlkioDeviceReadBps],
    ['wbps', resources.BlkioDeviceWriteBps],
    ['riops', resources.BlkioDeviceReadIOps],
    ['wiops', resources.BlkioDeviceWriteIOps],
  ] as const;
  return [
    ...(BlkioWeight > 0 ? [setting('io', 'io.weight', `default ${ioWeight(BlkioWeight)}`)] : []),
    ...(BlkioWeightDevice ?? []).map(({ Path, Weight }) =>
      setting('io', 'io.weight', `${devices.get(Path) ?? Path} ${ioWeight(Weight)}`),
    ),
    ...limits.flatMap(([key, list]) =>
      (list ?? []).map(({ Path, Rate }) =>
        setting('io', 'io.max', `${devices.get(Path) ?? Path} ${key}=${Rate > 0 ? Rate : 'max'}`),
      ),
    ),
  ];
}

function ioWeight(weight: number): number {
  const slope = (MOST_WEIGHT - LEAST_WEIGHT) / (MOST_BLKIO_WEIGHT - LEAST_BLKIO_WEIGHT);
  return LEAST_WEIGHT + Math.floor((weight - LEAST_BLKIO_WEIGHT) * slope);
}

function setting(
  controller: GroupSetting['controller'],
  file: string,
  value: number | string,
): GroupSetting {
  return { controller, file, text: String(value) };
}
