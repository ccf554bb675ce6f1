import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ChangedFiles } from './changed-files.ts';

async function fixture() {
  const root = await mkdtemp(join(tmpdir(), 'changed-'));
  const changed = new ChangedFiles();
  const told = async (path: string) => {
    changed.add(path);
    return await changed.take();
  };
  return { root, changed, told, [Symbol.asyncDispose]: () => rm(root, { recursive: true }) };
}

test('a file is told when it came, when it changed, and its directory when it went', async () => {
  await using files = await fixture();
  const path = join(files.root, 'file');
  await writeFile(path, 'a');
  assert.deepEqual(await files.told(path), [path]);
  await writeFile(path, 'longer');
  assert.deepEqual(await files.told(path), [path]);
  await utimes(path, 1, 1);
  assert.deepEqual(await files.told(path), [path]);
  await rm(path);
  assert.deepEqual(await files.told(path), [files.root]);
  assert.ok(files.changed.isEmpty);
});

test('what the guest does to report a change is not told again', async () => {
  await using files = await fixture();
  const path = join(files.root, 'file');
  await writeFile(path, 'a');
  await files.told(path);
  await chmod(path, (await stat(path)).mode);
  assert.deepEqual(await files.told(path), []);
  await chmod(path, 0o755);
  assert.deepEqual(await files.told(path), [path]);
});

test('a directory that is known is told again only when it is another one', async () => {
  await using files = await fixture();
  const dir = join(files.root, 'dir');
  await mkdir(dir);
  await files.changed.remember(dir);
  await writeFile(join(dir, 'entry'), '');
  assert.deepEqual(await files.told(dir), []);
  await chmod(dir, 0o700);
  assert.deepEqual(await files.told(dir), [dir]);
});

test('very many changes at once are told as changes to directories', async () => {
  await using files = await fixture();
  for (let index = 0; index <= 10_000; index += 1) files.changed.add(join(files.root, `${index}`));
  assert.deepEqual(await files.changed.take(), [files.root]);
});
