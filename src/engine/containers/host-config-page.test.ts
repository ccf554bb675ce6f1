import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ALL_LIMITS, NO_LIMITS } from '../../../test/support/fake-limits.ts';
import { shortcomings } from '../../runtime/bundle/shortcomings.ts';
import type { HostConfig, Resources } from '../../wire/container-config.ts';
import { checkHostConfig } from './check-host-config.ts';
import { checkMount } from './check-mount.ts';
import { ineffectiveSettings } from './ineffective-settings.ts';

const ROOT = join(import.meta.dirname, '../../..');
const FACTS = {
  hardLimits: new Map([['Max open files', 1024]]),
  oomScoreAdj: 100,
  limits: NO_LIMITS,
};
const MB = 1 << 20;
const DEVICE_LIMIT = [{ Path: '/dev/sda', Rate: 1 }];

/** For each field that the page calls warned, a value that must be answered with a warning. */
const WARNED: HostConfig = {
  OomScoreAdj: -10,
  SecurityOpt: ['label=type:x'],
  CpuShares: 512,
  Memory: 64 * MB,
  NanoCpus: 5e8,
  CgroupParent: 'x',
  BlkioWeight: 10,
  BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 10 }],
  BlkioDeviceReadBps: DEVICE_LIMIT,
  BlkioDeviceWriteBps: DEVICE_LIMIT,
  BlkioDeviceReadIOps: DEVICE_LIMIT,
  BlkioDeviceWriteIOps: DEVICE_LIMIT,
  CpuPeriod: 100_000,
  CpuQuota: 50_000,
  CpuRealtimePeriod: 1,
  CpuRealtimeRuntime: 1,
  CpusetCpus: '0',
  CpusetMems: '0',
  Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'r' }],
  DeviceCgroupRules: ['c 1:* r'],
  KernelMemory: 1,
  KernelMemoryTCP: 1,
  MemoryReservation: 64 * MB,
  MemorySwappiness: 1,
  OomKillDisable: true,
  PidsLimit: 1,
  Ulimits: [{ Name: 'nofile', Soft: 9999, Hard: 9999 }],
  CpuCount: 1,
  CpuPercent: 1,
};

/** Every setting that a control group takes. */
const EMPTY_RESOURCES: Required<Resources> = {
  ...{ Memory: 0, MemoryReservation: 0, MemorySwap: 0, PidsLimit: 0, CgroupParent: '' },
  ...{ CpuShares: 0, CpuPeriod: 0, CpuQuota: 0, NanoCpus: 0, CpusetCpus: '', CpusetMems: '' },
  ...{ BlkioWeight: 0, BlkioWeightDevice: [], BlkioDeviceReadBps: [], BlkioDeviceWriteBps: [] },
  ...{ BlkioDeviceReadIOps: [], BlkioDeviceWriteIOps: [] },
};

/** For each field that the page calls refused, a value that must be; some are refused where they are used. */
const REFUSED: HostConfig = {
  LogConfig: { Type: 'wat' },
  Mounts: [{ Type: 'npipe', Source: 'x', Target: '/x' }],
  CgroupnsMode: 'wat',
  IpcMode: 'wat',
  Cgroup: 'container:x',
  Dns: ['quay'],
  Links: ['a:b:c'],
  PidMode: 'wat',
  StorageOpt: { size: '1g' },
  UTSMode: 'wat',
  UsernsMode: 'wat',
  Isolation: 'hyperv',
  Memory: 1,
  MemoryReservation: 1,
  MemorySwap: 64 * MB,
  MemorySwappiness: 101,
  CpuShares: -1,
  CpuPeriod: 1,
  CpuQuota: 1,
  CpusetCpus: 'x',
  CpusetMems: 'x',
  BlkioWeight: 1,
  BlkioWeightDevice: [{ Path: '/dev/sda', Weight: 1 }],
  IOMaximumIOps: 1,
  IOMaximumBandwidth: 1,
  Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/null', CgroupPermissions: 'x' }],
  DeviceCgroupRules: ['x'],
};
const REFUSED_ELSEWHERE = [
  ...['VolumeDriver', 'Runtime', 'DeviceRequests', 'SecurityOpt', 'PortBindings', 'Sysctls'],
];

/** Warned of with a network that cannot have them. */
const WARNED_WITHOUT_NETWORK = {
  PortBindings: { '80/tcp': [{ HostPort: '' }] },
  PublishAllPorts: true,
};

const WORDS = ['honoured', 'emulated', 'warned', 'refused', 'kept'];
/** Warned where no control group can be had; `MemorySwap` has no meaning without `Memory`. */
const WARNED_WITH_ANOTHER: HostConfig = { Memory: 64 * MB, MemorySwap: 128 * MB };

/** The names of an interface's fields, from its source. */
function fieldsOf(name: string): readonly string[] {
  const source = readFileSync(join(ROOT, 'src/wire/container-config.ts'), 'utf8');
  const [, body = ''] =
    new RegExp(`export interface ${name} \\{\n(.*?)\n\\}`, 's').exec(source) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, field = '']) => field);
}

/** The rows below a heading of the page. */
function rowsOf(heading: string): ReadonlyMap<string, readonly string[]> {
  const page = readFileSync(join(ROOT, 'docs/host-config.md'), 'utf8');
  const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)];
  return new Map(rows.map(([, field = '', words = '']) => [field, words.trim().split(', ')]));
}

const fieldsCalled = (word: string) =>
  [...rowsOf('HostConfig')].filter(([, words]) => words.includes(word)).map(([field]) => field);

function warningsFor(hostConfig: HostConfig): readonly string[] {
  return [...ineffectiveSettings(hostConfig), ...shortcomings(hostConfig, FACTS)];
}

for (const [heading, type] of [
  ['HostConfig', 'HostConfig'],
  ['Config', 'ContainerConfig'],
] as const) {
  test(`the page has one row for each field of ${type}`, () => {
    const rows = rowsOf(heading);
    assert.ok(rows.size > 20);
    assert.deepEqual([...rows.keys()].sort(), [...fieldsOf(type)].sort());
    for (const words of rows.values()) {
      for (const word of words) assert.ok(WORDS.includes(word), word);
    }
  });
}

test('every setting that is called warned is answered with exactly one warning', () => {
  const elsewhere = ['MemorySwap', 'Init', ...Object.keys(WARNED_WITHOUT_NETWORK)];
  assert.deepEqual(fieldsCalled('warned').sort(), [...Object.keys(WARNED), ...elsewhere].sort());
  for (const [field, value] of Object.entries(WARNED)) {
    const warnings = warningsFor({ [field]: value });
    assert.equal(warnings.length, 1, `${field}: ${warnings.join(' ')}`);
    checkHostConfig({ [field]: value });
  }
});

test('ports cannot be published without a network, nor in that of the host', () => {
  for (const [field, value] of Object.entries(WARNED_WITHOUT_NETWORK)) {
    assert.equal(warningsFor({ NetworkMode: 'none', [field]: value }).length, 1, field);
  }
  const { PortBindings } = WARNED_WITHOUT_NETWORK;
  assert.equal(warningsFor({ NetworkMode: 'host', PortBindings }).length, 1);
});

test('a swap limit goes with its memory limit, in one warning', () => {
  checkHostConfig(WARNED_WITH_ANOTHER);
  assert.equal(warningsFor(WARNED_WITH_ANOTHER).length, 1);
});

test('every setting that is called emulated works somehow without a control group, and is warned of', () => {
  assert.deepEqual(fieldsCalled('emulated').sort(), ['CpuShares', 'CpusetCpus']);
});

test('where control groups are delegated, limits need no warning', () => {
  const grouped = fieldsCalled('warned').filter((field) => Object.hasOwn(EMPTY_RESOURCES, field));
  assert.ok(grouped.length > 12);
  for (const field of grouped) {
    const value = Object.entries({ ...WARNED, ...WARNED_WITH_ANOTHER }).find(
      ([name]) => name === field,
    );
    const facts = { ...FACTS, limits: ALL_LIMITS };
    assert.deepEqual(shortcomings({ [field]: value?.[1] }, facts), [], field);
  }
});

test('every setting that is called refused is refused', () => {
  const examples = [...Object.keys(REFUSED), ...REFUSED_ELSEWHERE];
  assert.deepEqual(fieldsCalled('refused').sort(), examples.sort());
  for (const [field, value] of Object.entries(REFUSED)) {
    const hostConfig: HostConfig = { [field]: value };
    const check = () => {
      checkHostConfig(hostConfig);
      for (const mount of hostConfig.Mounts ?? []) checkMount(mount);
    };
    assert.throws(check, { kind: 'invalid-argument' }, field);
  }
});

test('what a client sends that asks for nothing is neither warned of nor refused', () => {
  const nothing: HostConfig = {
    ...{ MemorySwappiness: -1, OomKillDisable: false, PidsLimit: 0, Memory: 0, CpusetCpus: '' },
    ...{ Devices: [], Ulimits: [], SecurityOpt: ['label=disable', 'apparmor=unconfined'] },
    ...{ LogConfig: { Type: '', Config: {} }, BlkioDeviceReadBps: [], IpcMode: '', UsernsMode: '' },
    ...{ Devices: [{ PathOnHost: '/dev/null', PathInContainer: '', CgroupPermissions: 'rwm' }] },
  };
  checkHostConfig(nothing);
  assert.deepEqual(warningsFor(nothing), []);
});
