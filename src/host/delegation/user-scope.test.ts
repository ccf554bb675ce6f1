import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../shared/clock.ts';
import { moveToOwnScope, rejoinScope, type ServiceManager } from './user-scope.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'wherry-bus-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A `busctl` that writes down how it was called. */
async function manager(exitCode: number, isRoot = false): Promise<ServiceManager> {
  const path = join(dir, 'busctl');
  const log = join(dir, 'calls');
  await writeFile(path, `#!/bin/sh\necho "$BUS $*" >>${log}\nexit ${exitCode}\n`);
  await chmod(path, 0o755);
  const environment = { PATH: `${dir}:/usr/bin:/bin`, BUS: 'here' };
  return { environment, isRoot, clock: systemClock };
}

const calls = async () => (await readFile(join(dir, 'calls'), 'utf8')).trim();

const MANAGER =
  'call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager';

test('a scope is asked for with this process in it, and awaited until the move has happened', async () => {
  const groups = ['/before', '/before', '/before', '/own.scope'];
  const moved = await moveToOwnScope(await manager(0), async () => groups.shift());
  assert.equal(moved, true);
  assert.deepEqual(groups, []);
  assert.equal(
    await calls(),
    `here --user ${MANAGER} StartTransientUnit ssa(sv)a(sa(sv)) wherry-${process.pid}.scope fail ` +
      `4 Description s wherry: containers PIDs au 1 ${process.pid} Delegate b true ` +
      'CollectMode s inactive-or-failed 0',
  );
});

test('a refusal, and a machine without systemd, are no scope', async () => {
  const group = async () => '/before';
  assert.equal(await moveToOwnScope(await manager(1), group), false);
  const none = { environment: { PATH: dir }, isRoot: false, clock: systemClock };
  await rm(join(dir, 'busctl'));
  assert.equal(await moveToOwnScope(none, group), false);
});

test('root asks the manager of the system to be put back into an earlier scope', async () => {
  assert.equal(await rejoinScope(await manager(0, true), 'a.scope', '/daemon'), true);
  const expected = `AttachProcessesToUnit ssau a.scope /daemon 1 ${process.pid}`;
  assert.equal(await calls(), `here --system ${MANAGER} ${expected}`);
});
