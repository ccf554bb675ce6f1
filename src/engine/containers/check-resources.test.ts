import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostConfig } from '../../wire/container-config.ts';
import { checkResources } from './check-resources.ts';

const MB = 1 << 20;

const REFUSALS: readonly [HostConfig, RegExp][] = [
  [{ Memory: 4 * MB }, /^Minimum memory limit allowed is 6MB$/],
  [{ Memory: 64 * MB, MemorySwap: 32 * MB }, /memoryswap limit should be larger than memory/],
  [{ MemorySwap: 64 * MB }, /always set the Memory limit when using Memoryswap/],
  [{ MemorySwappiness: 101 }, /Invalid value: 101, valid memory swappiness range is 0-100/],
  [{ MemoryReservation: MB }, /Minimum memory reservation allowed is 6MB/],
  [{ Memory: 8 * MB, MemoryReservation: 9 * MB }, /can not be less than memory reservation/],
  [{ NanoCpus: 1e9, CpuPeriod: 100_000 }, /Nano CPUs and CPU Period cannot both be set/],
  [{ NanoCpus: 1e9, CpuQuota: 100_000 }, /Nano CPUs and CPU Quota cannot both be set/],
  [{ CpuPeriod: 999 }, /CPU cfs period can not be less than 1ms/],
  [{ CpuQuota: 999 }, /CPU cfs quota can not be less than 1ms/],
  [{ CpuShares: -1 }, /invalid CPU shares/],
  [{ CpusetCpus: '0-' }, /Invalid value 0- for cpuset cpus/],
  [{ CpusetMems: 'x' }, /Invalid value x for cpuset mems/],
  [{ BlkioWeight: 9 }, /Range of blkio weight is from 10 to 1000/],
  [{ BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 2000 }] }, /Range of blkio weight/],
  [{ IOMaximumIOps: 1 }, /linux does not support Maximum IO Bandwidth or Maximum IO IOps/],
  [{ DeviceCgroupRules: ['c 1:3'] }, /invalid device cgroup rule format: 'c 1:3'/],
  [
    { Devices: [{ PathOnHost: '/dev/x', PathInContainer: '', CgroupPermissions: 'rx' }] },
    /invalid device mode: rx/,
  ],
];

for (const [resources, message] of REFUSALS) {
  test(`${JSON.stringify(resources)} is refused`, () => {
    assert.throws(() => checkResources(resources), { kind: 'invalid-argument', message });
  });
}

test('values within their ranges pass', () => {
  checkResources({
    ...{ Memory: 6 * MB, MemorySwap: -1, MemoryReservation: 6 * MB, MemorySwappiness: 0 },
    ...{ CpuPeriod: 1000, CpuQuota: -1, CpuShares: 2, CpusetCpus: '0-1,3', CpusetMems: '0' },
    ...{ BlkioWeight: 10, DeviceCgroupRules: ['c 189:* rmw', 'a *:* rwm'], PidsLimit: -1 },
  });
});

test('a change of the swap limit alone leaves the memory limit as it is', () => {
  checkResources({ MemorySwap: 64 * MB }, true);
});
