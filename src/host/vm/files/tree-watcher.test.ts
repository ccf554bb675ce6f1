import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../../../../test/support/eventually.ts';
import { TreeWatcher } from './tree-watcher.ts';

async function fixture(options: { maxDirectories?: number; watch?: typeof watch } = {}) {
  const root = await mkdtemp(join(tmpdir(), 'tree-'));
  const changed = new Set<string>();
  const watched = new Set<string>();
  const limits: string[] = [];
  const watcher = new TreeWatcher({
    maxDirectories: 100,
    ...options,
    onChange: (path) => changed.add(path.slice(root.length)),
    onDirectory: (path, state) => {
      if (state !== 'gone') watched.add(path.slice(root.length));
      else watched.delete(path.slice(root.length));
    },
    onLimit: (problem) => limits.push(problem),
  });
  const at = (...parts: string[]) => join(root, ...parts);
  const dispose = async () => {
    watcher.close();
    await rm(root, { recursive: true });
  };
  return { at, changed, watched, limits, watcher, [Symbol.asyncDispose]: dispose };
}

test('changes are told however deep, also in directories that came later or were moved', async () => {
  await using tree = await fixture();
  await mkdir(tree.at('a/b'), { recursive: true });
  await mkdir(tree.at('other'));
  await tree.watcher.setRoots([tree.at('a')]);
  assert.deepEqual([...tree.watched].sort(), ['/a', '/a/b']);
  await writeFile(tree.at('a/b/file'), 'x');
  await eventually(() => tree.changed.has('/a/b/file'));
  await mkdir(tree.at('a/new/deep'), { recursive: true });
  await eventually(() => tree.watched.has('/a/new/deep'));
  await writeFile(tree.at('a/new/deep/file'), 'x');
  await eventually(() => tree.changed.has('/a/new/deep/file'));
  await rename(tree.at('a/new'), tree.at('a/b/moved'));
  await eventually(() => tree.watched.has('/a/b/moved/deep'));
  await eventually(() => !tree.watched.has('/a/new/deep'));
  await rm(tree.at('a/b/moved/deep/file'));
  await eventually(() => tree.changed.has('/a/b/moved/deep/file'));
  await writeFile(tree.at('other/file'), 'x');
  await writeFile(tree.at('a/last'), 'x');
  await eventually(() => tree.changed.has('/a/last'));
  assert.ok(!tree.changed.has('/other/file'));
});

test('only what is asked for is watched, a tree within another once, and single files too', async () => {
  await using tree = await fixture();
  await mkdir(tree.at('a/b/c'), { recursive: true });
  await writeFile(tree.at('single'), '');
  await tree.watcher.setRoots([
    tree.at('a/b'),
    tree.at('a'),
    tree.at('single'),
    tree.at('missing'),
  ]);
  assert.deepEqual([...tree.watched].sort(), ['/a', '/a/b', '/a/b/c']);
  await writeFile(tree.at('single'), 'x');
  await eventually(() => tree.changed.has('/single'));
  await tree.watcher.setRoots([tree.at('a/b/c')]);
  assert.deepEqual([...tree.watched], ['/a/b/c']);
  await tree.watcher.setRoots([tree.at('a')]);
  assert.equal(tree.watched.size, 3);
});

test('when there are too many directories, the nearest are watched, and that is told once', async () => {
  await using tree = await fixture({ maxDirectories: 3 });
  for (const name of ['a/deep/deeper', 'b/deep']) await mkdir(tree.at(name), { recursive: true });
  await tree.watcher.setRoots([tree.at()]);
  await mkdir(tree.at('c'));
  await eventually(() => tree.changed.has('/c'));
  assert.deepEqual([...tree.watched].sort(), ['', '/a', '/b']);
  assert.deepEqual(tree.limits, ['there are more than 3 directories']);
});

test('when the kernel has no watches left, that is told with its words', async () => {
  let left = 1;
  const scarce = ((...args: Parameters<typeof watch>) => {
    left -= 1;
    if (left >= 0) return watch(...args);
    throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), {
      code: 'ENOSPC',
    });
  }) as typeof watch;
  await using tree = await fixture({ watch: scarce });
  await mkdir(tree.at('a/b'), { recursive: true });
  await tree.watcher.setRoots([tree.at('a')]);
  assert.deepEqual([...tree.watched], ['/a']);
  assert.match(tree.limits.join(), /^ENOSPC: System limit/);
});
