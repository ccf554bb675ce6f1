import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { NO_LIMITS } from '../../../test/support/fake-limits.ts';
import type { ContainerConfig, HostConfig } from '../../wire/container-config.ts';
import { CdiRegistry } from '../cdi/cdi-registry.ts';
import type { SpecInput } from '../spec-builder.ts';
import { capabilitiesOfMask } from './capabilities.ts';
import { OciSpecBuilder } from './oci-spec-builder.ts';
import type { SpecFacts } from './spec-facts.ts';

const facts: SpecFacts = {
  architecture: 'x64',
  capabilities: capabilitiesOfMask((1n << 41n) - 1n),
  mappedUids: 65_537,
  mappedGids: 65_537,
  oomScoreAdj: 100,
  hardLimits: new Map(),
  sysIsReadOnly: false,
  hasPingRange: true,
  ipcDirs: ['/dev/shm'],
  limits: NO_LIMITS,
};
const noDevices = new CdiRegistry([], () => undefined);
let rootfsDir: string;

before(async () => {
  rootfsDir = await mkdtemp(join(tmpdir(), 'wherry-spec-'));
  await mkdir(join(rootfsDir, 'etc'));
  await writeFile(join(rootfsDir, 'etc/passwd'), 'app:x:7:8::/srv:/bin/sh\n');
});
after(() => rm(rootfsDir, { recursive: true, force: true }));

const build = (
  config: ContainerConfig,
  hostConfig: HostConfig = {},
  more: Partial<SpecInput> & { facts?: Partial<SpecFacts> } = {},
) =>
  new OciSpecBuilder({ ...facts, ...more.facts }, noDevices).build({
    id: 'x',
    config: { Cmd: ['run'], ...config },
    hostConfig,
    rootfsDir,
    network: { kind: 'path', path: '/netns' },
    mounts: [],
    hostname: 'host',
    ...more,
  });

test('entry point and command make the arguments, and there must be one of them', async () => {
  const { process } = await build({ Entrypoint: ['/entry', 'a'], Cmd: ['b'] });
  assert.deepEqual(process.args, ['/entry', 'a', 'b']);
  await assert.rejects(build({ Cmd: [] }), /no command specified/);
});

test('the working directory is made inside the root and must be absolute', async () => {
  const { process } = await build({ WorkingDir: '/work/here' });
  assert.equal(process.cwd, '/work/here');
  assert.ok((await stat(join(rootfsDir, 'work/here'))).isDirectory());
  await assert.rejects(build({ WorkingDir: 'here' }), /needs to be an absolute path/);
});

test('a user who is not root holds no capabilities at first', async () => {
  const { process } = await build({ User: 'app' });
  assert.deepEqual(process.user, { uid: 7, gid: 8, additionalGids: [8] });
  assert.deepEqual(process.capabilities?.effective, []);
  assert.equal(process.capabilities?.bounding.length, 14);
  assert.ok(process.env.includes('HOME=/srv'));
});

test('a privileged container has no filter, no masks and a writable sysfs where there is one', async () => {
  const { linux, mounts } = await build({}, { Privileged: true });
  assert.equal(linux.seccomp, undefined);
  assert.equal(linux.maskedPaths, undefined);
  const sys = (list: typeof mounts) => list.find(({ destination }) => destination === '/sys');
  assert.ok(!sys(mounts)?.options?.includes('ro'));
  const limited = await build({}, { Privileged: true }, { facts: { sysIsReadOnly: true } });
  assert.ok(sys(limited.mounts)?.options?.includes('ro'));
});

test('empty lists of hidden and read-only paths are taken at their word', async () => {
  const { linux } = await build({}, { MaskedPaths: [], ReadonlyPaths: [] });
  assert.deepEqual([linux.maskedPaths, linux.readonlyPaths], [[], []]);
  assert.ok((await build({})).linux.maskedPaths?.includes('/proc/kcore'));
});

test('a mount of the user takes the place of a default one', async () => {
  const mine = { destination: '/dev/shm', type: 'bind', source: '/here', options: ['rbind'] };
  const { mounts } = await build({}, {}, { mounts: [mine] });
  assert.deepEqual(
    mounts.filter(({ destination }) => destination === '/dev/shm'),
    [mine],
  );
});

test('mounts that propagate open the root for it', async () => {
  const shared = { destination: '/a', type: 'bind', source: '/b', options: ['rbind', 'rslave'] };
  assert.equal((await build({}, {}, { mounts: [shared] })).linux.rootfsPropagation, 'rslave');
  assert.equal((await build({})).linux.rootfsPropagation, undefined);
});

test('sysctls of the network belong to containers with a network of their own', async () => {
  assert.deepEqual((await build({})).linux.sysctl, {
    'net.ipv4.ip_unprivileged_port_start': '0',
    'net.ipv4.ping_group_range': '0 65536',
  });
  const shared = await build({}, { Sysctls: { a: 'b' } }, { network: { kind: 'host' } });
  assert.deepEqual(shared.linux.sysctl, { a: 'b' });
});

test('namespaces can be shared one by one, and unknown modes are refused', async () => {
  const types = async (hostConfig: HostConfig) =>
    (await build({}, hostConfig)).linux.namespaces.map(({ type }) => type);
  assert.deepEqual(await types({}), ['mount', 'network', 'pid', 'ipc', 'uts', 'cgroup']);
  assert.deepEqual(await types({ PidMode: 'host', UTSMode: 'host' }), [
    'mount',
    'network',
    'ipc',
    'cgroup',
  ]);
  await assert.rejects(build({}, { IpcMode: 'magic' }), /invalid IPC mode: magic/);
});

test('a process cannot be made a less likely victim than the engine', async () => {
  assert.equal((await build({}, { OomScoreAdj: -500 })).process.oomScoreAdj, 100);
  assert.equal((await build({}, { OomScoreAdj: 500 })).process.oomScoreAdj, 500);
});

test('under a single id everybody is root and changes of owner are answered with success', async () => {
  const { process, linux, mounts } = await build(
    { User: 'app' },
    {},
    { facts: { mappedUids: 1, mappedGids: 1 } },
  );
  assert.deepEqual(process.user, { uid: 0, gid: 0 });
  assert.ok(
    linux.seccomp?.syscalls.some(
      ({ names, errnoRet }) => errnoRet === 0 && names.includes('chown'),
    ),
  );
  const pts = mounts.find(({ destination }) => destination === '/dev/pts');
  assert.ok(!pts?.options?.includes('gid=5'));
});

test('an exec session has the environment of the container and its own on top', async () => {
  const process = await new OciSpecBuilder(facts, noDevices).buildExec({
    config: { Env: ['A=1', 'B=2'], Hostname: 'host', User: 'app', WorkingDir: '/w' },
    hostConfig: {},
    rootfsDir,
    args: ['id'],
    env: ['B=3'],
    privileged: true,
    terminal: true,
    user: '0',
  });
  assert.deepEqual([process.user.uid, process.cwd, process.terminal], [0, '/w', true]);
  assert.equal(process.capabilities?.effective.length, 41);
  for (const entry of ['A=1', 'B=3', 'TERM=xterm', 'HOSTNAME=host'])
    assert.ok(process.env.includes(entry));
});

test('system paths and control groups are opened when that is asked for', async () => {
  const cgroupOptions = ({ mounts }: Awaited<ReturnType<typeof build>>) =>
    mounts.find(({ destination }) => destination === '/sys/fs/cgroup')?.options ?? [];
  const usual = await build({});
  assert.ok((usual.linux.maskedPaths ?? []).length > 0);
  assert.ok(cgroupOptions(usual).includes('ro'));
  const SecurityOpt = ['systempaths=unconfined', 'writable-cgroups=true'];
  const open = await build({}, { SecurityOpt });
  assert.deepEqual([open.linux.maskedPaths, open.linux.readonlyPaths], [undefined, undefined]);
  assert.ok(!cgroupOptions(open).includes('ro'));
});
