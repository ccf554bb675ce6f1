import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeDirInRoot, readInRoot, resolveInRoot } from './rooted-path.ts';

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-root-'));
  await mkdir(join(root, 'etc'));
  await writeFile(join(root, 'etc/real'), 'inside');
});
after(() => rm(root, { recursive: true, force: true }));

test('absolute links start again at the root', async () => {
  await symlink('/etc/real', join(root, 'absolute'));
  assert.equal(await resolveInRoot(root, '/absolute'), join(root, 'etc/real'));
  assert.equal(await readInRoot(root, 'absolute'), 'inside');
});

test('links that climb out stop at the root', async () => {
  await symlink('../../../../../../etc/passwd', join(root, 'etc/climber'));
  assert.equal(await resolveInRoot(root, 'etc/climber'), join(root, 'etc/passwd'));
  assert.equal(await readInRoot(root, 'etc/climber'), '');
});

test('a path through a link in the middle is followed inside', async () => {
  await symlink('/etc', join(root, 'alias'));
  assert.equal(await resolveInRoot(root, 'alias/new/file'), join(root, 'etc/new/file'));
});

test('links that go round are refused', async () => {
  await symlink('loop', join(root, 'loop'));
  await assert.rejects(resolveInRoot(root, 'loop'), /too many symbolic links/);
});

test('a directory is made inside the root, and not over a file', async () => {
  await makeDirInRoot(root, '/work/deep');
  assert.equal(await resolveInRoot(root, 'work/deep'), join(root, 'work/deep'));
  await assert.rejects(
    makeDirInRoot(root, '/etc/real'),
    /Cannot mkdir: \/etc\/real is not a directory/,
  );
});
