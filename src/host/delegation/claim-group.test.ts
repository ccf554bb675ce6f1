import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FakeCgroupfs } from '../../../test/support/fake-cgroupfs.ts';
import { silentLogger } from '../../shared/logger.ts';
import type { CgroupFacts as CgroupPlace } from '../../sys/cgroup/cgroup-facts.ts';
import { type ClaimParts, groupKeeper } from './claim-group.ts';

const PID = 100;
const CONTROLLERS = ['cpu', 'memory', 'pids'];

let mountPoint: string;
let files: FakeCgroupfs;

beforeEach(async () => {
  mountPoint = await mkdtemp(join(tmpdir(), 'wherry-claim-'));
  files = await FakeCgroupfs.create(mountPoint, CONTROLLERS);
  for (const name of CONTROLLERS) {
    await files.write(join(mountPoint, 'cgroup.subtree_control'), `+${name}`);
  }
  for (const name of ['session', 'scope']) await files.makeGroup(join(mountPoint, name));
});
afterEach(() => rm(mountPoint, { recursive: true, force: true }));

const inGroup = (name: string, layout: CgroupPlace['layout'] = 'v2'): CgroupPlace => ({
  layout,
  v2MountPoint: mountPoint,
  ownDir: join(mountPoint, name),
  controllers: CONTROLLERS,
  delegated: true,
});

const join_ = (group: string, pid: number) =>
  files.write(join(mountPoint, group, 'cgroup.procs'), String(pid));

const text = (path: string) => readFile(join(mountPoint, path), 'utf8');

function keeper(parts: Partial<ClaimParts> = {}) {
  return groupKeeper({
    files,
    detect: async () => inGroup('session'),
    moveToOwnScope: async () => false,
    rejoinScope: async () => false,
    pid: PID,
    isManaged: false,
    logger: silentLogger,
    ...parts,
  });
}

test('a group that only the daemon is in is divided: the daemon below, controllers for the rest', async () => {
  await join_('session', PID);
  assert.deepEqual(await keeper().claim(), {
    layout: 'v2',
    unifiedMount: mountPoint,
    own: '/session',
  });
  assert.equal(await text('session/daemon/cgroup.procs'), String(PID));
  assert.deepEqual((await text('session/cgroup.subtree_control')).split(' '), CONTROLLERS);
});

test('in company the service manager is asked for a scope, and the company left alone', async () => {
  await join_('session', PID);
  await join_('session', 7);
  let place = 'session';
  const moveToOwnScope = async () => {
    place = 'scope';
    await join_('scope', PID);
    return true;
  };
  const claimed = await keeper({ moveToOwnScope, detect: async () => inGroup(place) }).claim();
  assert.equal(claimed.own, '/scope');
  assert.equal(await text('session/cgroup.procs'), '7');
  assert.equal(await text('scope/daemon/cgroup.procs'), String(PID));
});

test('without a service manager the company moves along within the delegated group', async () => {
  await join_('session', PID);
  await join_('session', 7);
  assert.equal((await keeper().claim()).own, '/session');
  assert.deepEqual((await text('session/daemon/cgroup.procs')).split('\n').toSorted(), [
    '100',
    '7',
  ]);
});

test('where a service manager refuses, the company and its group are left alone', async () => {
  await join_('session', PID);
  await join_('session', 7);
  assert.equal((await keeper({ isManaged: true }).claim()).own, undefined);
  assert.deepEqual(await files.subgroups(join(mountPoint, 'session')), []);
});

test('a group with processes that nobody here can move is left as it was', async () => {
  await join_('session', PID);
  await join_('session', 0);
  const claimed = await keeper().claim();
  assert.equal(claimed.own, undefined);
  assert.match(claimed.lack ?? '', /no control group is delegated/);
  await assert.rejects(stat(join(mountPoint, 'session/daemon')), { code: 'ENOENT' });
});

test('a hybrid machine, and a group of somebody else, give no group and a reason', async () => {
  const hybrid = await keeper({ detect: async () => inGroup('session', 'hybrid') }).claim();
  assert.match(hybrid.lack ?? '', /does not use version 2 control groups alone/);
  const foreign = { ...inGroup('session'), delegated: false };
  const claimed = await keeper({ detect: async () => foreign }).claim();
  assert.match(claimed.lack ?? '', /no control group is delegated/);
  assert.deepEqual(
    files.history.filter((line) => line.startsWith('/session')),
    [],
  );
});

test('a later daemon goes back into the group, itself or by the service manager', async () => {
  await join_('session', PID);
  const facts = await keeper().claim();
  await join_('scope', 200);
  assert.deepEqual(await keeper({ pid: 200 }).rejoin(facts), facts);
  assert.match(await text('session/daemon/cgroup.procs'), /200/);
  const gone = { ...facts, own: '/gone.scope' };
  const asked: string[] = [];
  const rejoinScope = async (unit: string, subgroup: string) => {
    asked.push(unit, subgroup);
    return true;
  };
  assert.deepEqual(await keeper({ rejoinScope }).rejoin(gone), gone);
  assert.deepEqual(asked, ['gone.scope', '/daemon']);
  const lost = await keeper().rejoin(gone);
  assert.equal(lost.own, undefined);
  assert.match(lost.lack ?? '', /started again outside of its control group/);
});

test('at the end the group is as it was found', async () => {
  await join_('session', PID);
  const facts = await keeper().claim();
  await files.makeGroup(join(mountPoint, 'session/wherry'));
  await files.makeGroup(join(mountPoint, 'session/wherry/c1'));
  await keeper().release(facts);
  assert.deepEqual(await files.subgroups(join(mountPoint, 'session')), []);
  assert.equal(await text('session/cgroup.subtree_control'), '');
  assert.equal(await text('session/cgroup.procs'), String(PID));
  await keeper().release({ layout: 'none' });
});
