/** What a client is told of limits that this machine cannot set. */
import type { Resources } from '../../wire/container-config.ts';
import type { LimitSupport } from '../limit-support.ts';
import { cpusNotAvailable, tooManyCpus } from '../runtime-errors.ts';
import { nicenessOfShares, USUAL_SHARES } from './emulated-limits.ts';
import { formatNumberList, parseNumberList } from './number-list.ts';

/** Name of a limit, whether it is asked for, and whether it can be set. */
type Limit = readonly [
  name: string,
  isSet: (resources: Resources) => boolean,
  isSupported: (support: LimitSupport) => boolean,
];

const isPositive = (value: number | null | undefined): boolean => (value ?? 0) > 0;
const isGiven = (list: readonly unknown[] | string | null | undefined): boolean =>
  (list?.length ?? 0) > 0;

const LIMITS: readonly Limit[] = [
  ['memory limit', ({ Memory }) => isPositive(Memory), ({ memory }) => memory],
  [
    'memory reservation',
    ({ MemoryReservation }) => isPositive(MemoryReservation),
    ({ memory }) => memory,
  ],
  // What memory there is cannot be told from swap where neither is limited: one sentence is enough then.
  ['swap limit', ({ MemorySwap }) => isPositive(MemorySwap), ({ swap, memory }) => swap || !memory],
  [
    'CPU quota',
    (config) => [config.NanoCpus, config.CpuQuota, config.CpuPeriod].some(isPositive),
    ({ cpu }) => cpu,
  ],
  ['set of memory nodes', ({ CpusetMems }) => isGiven(CpusetMems), ({ cpuset }) => cpuset],
  ['block I/O weight', ({ BlkioWeight }) => isPositive(BlkioWeight), ({ ioWeight }) => ioWeight],
  [
    'block I/O weight of devices',
    ({ BlkioWeightDevice }) => isGiven(BlkioWeightDevice),
    ({ ioWeight }) => ioWeight,
  ],
  ['block I/O limit of devices', hasDeviceLimit, ({ io }) => io],
  ['PIDs limit', ({ PidsLimit }) => isPositive(PidsLimit), ({ pids }) => pids],
  ['parent control group', ({ CgroupParent }) => isGiven(CgroupParent), ({ freezer }) => freezer],
];

function hasDeviceLimit(config: Resources): boolean {
  return [
    config.BlkioDeviceReadBps,
    config.BlkioDeviceWriteBps,
    config.BlkioDeviceReadIOps,
    config.BlkioDeviceWriteIOps,
  ].some(isGiven);
}

/** One sentence for each limit that was asked for and is not set, or not as well as by a control group. */
export function limitWarnings(resources: Resources, support: LimitSupport): readonly string[] {
  const missing = LIMITS.filter(([, isSet, has]) => isSet(resources) && !has(support));
  return [
    ...missing.map(([name]) => `The ${name} is discarded: ${support.lack}.`),
    ...(support.cpu ? [] : sharesWarning(resources, support)),
    ...(support.cpuset || !isGiven(resources.CpusetCpus)
      ? []
      : [
          `The CPU set is emulated by processor affinity, which processes may change: ${support.lack}.`,
        ]),
  ];
}

function sharesWarning({ CpuShares = 0 }: Resources, { lack }: LimitSupport): readonly string[] {
  if (CpuShares <= 0) return [];
  if (CpuShares >= USUAL_SHARES) return [`The CPU shares are discarded: ${lack}.`];
  const niceness = nicenessOfShares(CpuShares);
  return [`The CPU shares are emulated by a niceness of ${niceness}: ${lack}.`];
}

/** `invalid-argument` with Docker's text for processors that the machine does not have. */
export function checkProcessors(
  { NanoCpus = 0, CpusetCpus = '' }: Resources,
  { cpus }: Pick<LimitSupport, 'cpus'>,
): void {
  if (NanoCpus > cpus.length * 1e9) throw tooManyCpus(cpus.length);
  const wanted = CpusetCpus === '' ? [] : (parseNumberList(CpusetCpus) ?? []);
  if (wanted.every((cpu) => cpus.includes(cpu))) return;
  throw cpusNotAvailable(CpusetCpus, formatNumberList(cpus));
}
