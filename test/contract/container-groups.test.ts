import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ContainerGroups } from '../../src/runtime/limits/container-groups.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Resources } from '../../src/wire/container-config.ts';
import { FakeCgroupfs } from '../support/fake-cgroupfs.ts';

const CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'pids'];
const MB = 1 << 20;

let mountPoint: string;
let files: FakeCgroupfs;

beforeEach(async () => {
  mountPoint = await mkdtemp(join(tmpdir(), 'wherry-cg-'));
  files = await FakeCgroupfs.create(mountPoint, CONTROLLERS);
  await files.write(join(mountPoint, 'cgroup.subtree_control'), '+cpu');
  for (const name of CONTROLLERS) {
    await files.write(join(mountPoint, 'cgroup.subtree_control'), `+${name}`);
  }
  await files.makeGroup(join(mountPoint, 'user'));
});
afterEach(() => rm(mountPoint, { recursive: true, force: true }));

const open = () =>
  ContainerGroups.open({ files, mountPoint, ownPath: '/user', clock: systemClock });

/** What the files of a group say. */
const said = async (path: string, ...names: readonly string[]) =>
  Promise.all(names.map((name) => readFile(join(mountPoint, path, name), 'utf8')));

const exists = (path: string) =>
  stat(join(mountPoint, path)).then(
    () => true,
    () => false,
  );

test('every limit that Docker has becomes what the kernel calls it', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  assert.equal(path, '/user/wherry/c1');
  await groups.make(path, {
    ...{ Memory: 64 * MB, MemorySwap: 96 * MB, MemoryReservation: 32 * MB, PidsLimit: 7 },
    ...{ CpuShares: 512, NanoCpus: 5e8, CpusetCpus: '0', CpusetMems: '0', BlkioWeight: 500 },
    BlkioDeviceReadBps: [{ Path: '/dev/null', Rate: 1000 }],
  });
  const memory = ['memory.max', 'memory.swap.max', 'memory.low', 'pids.max'];
  assert.deepEqual(await said(path, ...memory), [64, 32, 32].map((n) => `${n * MB}`).concat('7'));
  const cpu = ['cpu.weight', 'cpu.max', 'cpuset.cpus', 'cpuset.mems', 'io.weight', 'io.max'];
  const expected = ['20', '50000 100000', '0', '0', 'default 4950', '1:3 rbps=1000'];
  assert.deepEqual(await said(path, ...cpu), expected);
});

const CASES: readonly [Resources, file: string, text: string][] = [
  [{ CpuQuota: 20_000 }, 'cpu.max', '20000 100000'],
  [{ CpuQuota: 20_000, CpuPeriod: 50_000 }, 'cpu.max', '20000 50000'],
  [{ CpuPeriod: 50_000 }, 'cpu.max', 'max 50000'],
  [{ CpuQuota: -1 }, 'cpu.max', 'max 100000'],
  [{ CpuShares: 1024 }, 'cpu.weight', '39'],
  [{ CpuShares: 2 }, 'cpu.weight', '1'],
  [{ CpuShares: 262_144 }, 'cpu.weight', '10000'],
  [{ PidsLimit: -1 }, 'pids.max', 'max'],
  [{ PidsLimit: 0 }, 'pids.max', 'max'],
  [{ Memory: 64 * MB, MemorySwap: -1 }, 'memory.swap.max', 'max'],
  [{ Memory: 64 * MB, MemorySwap: 64 * MB }, 'memory.swap.max', '0'],
];

for (const [resources, file, text] of CASES) {
  test(`${JSON.stringify(resources)} is ${file} ${text}`, async () => {
    const groups = await open();
    const path = groups.pathOf('c1');
    await groups.make(path, resources);
    assert.deepEqual(await said(path, file), [text]);
  });
}

test('limits change while the container runs, and those that are not named stay', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  await groups.make(path, { PidsLimit: 7, CpuShares: 512 });
  await groups.limit(path, { PidsLimit: 9 });
  assert.deepEqual(await said(path, 'pids.max', 'cpu.weight'), ['9', '20']);
});

test('a limit that the kernel refuses is told with its file', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  await assert.rejects(groups.make(path, { CpusetCpus: '99' }), {
    kind: 'invalid-argument',
    message: /cannot set cpuset\.cpus to "99": EINVAL/,
  });
  await groups.remove(path);
  assert.equal(await exists(path), false);
});

test('controllers that were not delegated are told, and their limits left out', async () => {
  for (const name of ['cpuset', 'io', 'cpu']) {
    await files.write(join(mountPoint, 'cgroup.subtree_control'), `-${name}`);
  }
  await rm(join(mountPoint, 'user'), { recursive: true });
  await files.makeGroup(join(mountPoint, 'user'));
  const groups = await open();
  const { memory, swap, pids, cpu, cpuset, io, ioWeight, freezer } = groups.support;
  assert.deepEqual({ memory, swap, pids, freezer }, { ...ALL_TRUE, freezer: true });
  assert.deepEqual([cpu, cpuset, io, ioWeight], [false, false, false, false]);
  const path = groups.pathOf('c1');
  await groups.make(path, { Memory: 64 * MB, NanoCpus: 1e9, CpusetCpus: '99', BlkioWeight: 10 });
  assert.deepEqual(await said(path, 'memory.max'), [`${64 * MB}`]);
});

const ALL_TRUE = { memory: true, swap: true, pids: true };

test('a parent that was asked for lies within our own group, whatever it is called', async () => {
  const groups = await open();
  assert.equal(groups.pathOf('c1', 'team/a'), '/user/team/a/c1');
  assert.equal(groups.pathOf('c1', '/team'), '/user/team/c1');
  assert.equal(groups.pathOf('c1', '/user/team'), '/user/team/c1');
  assert.equal(groups.pathOf('c1', '../../etc'), '/user/etc/c1');
  assert.equal(groups.pathOf('c1', '/username'), '/user/username/c1');
  const path = groups.pathOf('c1', 'team/a');
  await groups.make(path, { PidsLimit: 5 });
  assert.deepEqual(await said(path, 'pids.max'), ['5']);
});

test('freezing resolves when all processes stand still, and thawing when they go on', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  await groups.make(path, {});
  await groups.freeze(path, true);
  assert.match((await said(path, 'cgroup.events'))[0] ?? '', /frozen 1/);
  await groups.freeze(path, false);
  assert.match((await said(path, 'cgroup.events'))[0] ?? '', /frozen 0/);
});

test('kills for want of memory are counted, and a group that has gone has none', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  await groups.make(path, {});
  assert.equal(await groups.oomKills(path), 0);
  await files.setEvent(join(mountPoint, path, 'memory.events'), 'oom_kill', 2);
  assert.equal(await groups.oomKills(path), 2);
  assert.equal(await groups.oomKills(groups.pathOf('c2')), 0);
});

test('removing kills what is left, takes sub-groups along, and may be repeated', async () => {
  const groups = await open();
  const path = groups.pathOf('c1');
  await groups.make(path, {});
  await files.makeGroup(join(mountPoint, path, 'made-inside'));
  await files.write(join(mountPoint, path, 'cgroup.procs'), '4242');
  await groups.remove(path);
  await groups.remove(path);
  assert.equal(await exists(path), false);
  assert.ok(files.history.includes(`${path}/cgroup.kill=1`));
});
