/** What was written in a snapshot, as a list and as a layer that makes the same again. */
import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chainIds } from '../../src/oci/chain-id.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER } from '../../src/oci/media-types.ts';
import type { Snapshotter } from '../../src/storage/snapshotter.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { lgetxattr, lsetxattr } from '../../src/sys/libc.ts';
import { turnsDuring } from '../support/event-loop.ts';
import type { TarMember } from '../support/layer-tar.ts';
import { makeSnapshotter, SNAPSHOTTER_KINDS, stackLayers } from '../support/snapshots.ts';

const BASE: readonly (readonly TarMember[])[] = [
  [
    { name: 'etc/', type: '5', mode: 0o755 },
    { name: 'etc/conf', content: 'old' },
    { name: 'etc/gone', content: 'gone' },
    { name: 'etc/same', content: 'same' },
    { name: 'etc/hosts', content: '' },
    { name: 'tree/', type: '5', mode: 0o755 },
    { name: 'tree/a', content: 'a' },
    { name: 'tree/sub/', type: '5', mode: 0o755 },
    { name: 'tree/sub/b', content: 'b' },
    { name: 'again/', type: '5', mode: 0o755 },
    { name: 'again/old', content: 'old' },
    { name: 'swap', content: 'a file' },
    { name: 'hidden/', type: '5', mode: 0o755 },
    { name: 'hidden/below', content: 'below' },
  ],
  [{ name: 'hidden/.wh.below' }, { name: 'hidden/above', content: 'above' }],
];

/** Every kind of change that there is. */
async function change(root: string): Promise<void> {
  const at = (name: string) => join(root, name);
  await writeFile(at('etc/conf'), 'a longer text');
  await rm(at('etc/gone'));
  await writeFile(at('etc/new'), 'new');
  await chown(at('etc/new'), 12, 34);
  await chmod(at('etc/new'), 0o4711);
  lsetxattr(at('etc/new'), 'user.note', Buffer.from('kept'));
  await link(at('etc/new'), at('etc/twin'));
  await symlink('../x', at('etc/link'));
  await rm(at('tree/sub'), { recursive: true });
  await rm(at('again'), { recursive: true });
  await mkdir(at('again'), { mode: 0o755 });
  await writeFile(at('again/fresh'), 'fresh');
  await rm(at('swap'));
  await mkdir(at('swap'), { mode: 0o700 });
  await writeFile(at('swap/in'), 'in');
  await writeFile(at('hidden/below'), 'anew');
  await mkdir(at('data/vol/inner'), { recursive: true });
  await writeFile(at('etc/hosts'), 'generated');
}

const LEFT_OUT = ['/etc/hosts', '/data/vol'];

async function listed(snapshots: Snapshotter, key: string, leftOut = LEFT_OUT) {
  const letters = { modified: 'C', added: 'A', deleted: 'D' };
  const lines: string[] = [];
  for await (const { kind, path } of snapshots.diff(key, leftOut).changes()) {
    lines.push(`${letters[kind]} ${path}`);
  }
  return lines;
}

/** Commits the changes as a layer on `parent`, and tells its chainID. */
async function commit(snapshots: Snapshotter, key: string, parent: Digest): Promise<Digest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshots.diff(key, LEFT_OUT).layerTar()) chunks.push(chunk);
  const tar = Buffer.concat(chunks);
  const diffId = digestOf(tar);
  const slot = await snapshots.prepareLayer();
  const unpacking = new TarUnpacker().begin(slot, { mediaType: OCI_LAYER, diffId });
  await unpacking.write(tar);
  const { sizeBytes } = await unpacking.finish();
  const chainId = chainIds([parent, diffId]).at(-1) ?? diffId;
  await slot.commit({ chainId, parent, sizeBytes });
  return chainId;
}

/** Every path of a tree with what can be seen of it. */
async function describeTree(root: string): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const name of (await readdir(root, { recursive: true })).toSorted()) {
    const path = join(root, name);
    const stats = await lstat(path);
    const mode = (stats.mode & 0o7777).toString(8);
    let content = '';
    if (stats.isSymbolicLink()) content = `-> ${await readlink(path)}`;
    else if (stats.isFile()) content = await readFile(path, 'utf8');
    seen[name] = `${mode} ${stats.uid}:${stats.gid} ${content}`;
  }
  return seen;
}

for (const kind of SNAPSHOTTER_KINDS) {
  describe(`the changes of a snapshot by ${kind}`, () => {
    it('are listed with the directories that they are in, mounts left out', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      await snapshots.prepareActive('one', await stackLayers(snapshots, BASE));
      await change(await snapshots.mount('one'));
      assert.deepEqual(await listed(snapshots, 'one'), [
        'C /again',
        'A /again/fresh',
        'D /again/old',
        'C /etc',
        'C /etc/conf',
        'D /etc/gone',
        'A /etc/link',
        'A /etc/new',
        'A /etc/twin',
        'C /hidden',
        'A /hidden/below',
        'C /swap',
        'A /swap/in',
        'C /tree',
        'D /tree/sub',
      ]);
      await dispose();
    });

    it('are none where nothing was written, or only what is mounted', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      await snapshots.prepareActive('one', await stackLayers(snapshots, BASE));
      const root = await snapshots.mount('one');
      assert.deepEqual(await listed(snapshots, 'one'), []);
      await writeFile(join(root, 'etc/hosts'), 'generated');
      await mkdir(join(root, 'data/vol'), { recursive: true });
      assert.deepEqual(await listed(snapshots, 'one'), []);
      assert.deepEqual(await listed(snapshots, 'one', []), [
        'A /data',
        'A /data/vol',
        'C /etc',
        'C /etc/hosts',
      ]);
      await dispose();
    });

    it('show a changed mode, owner or time, and not what was put back', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      await snapshots.prepareActive('one', await stackLayers(snapshots, BASE));
      const root = await snapshots.mount('one');
      await chmod(join(root, 'tree'), 0o700);
      await chown(join(root, 'tree/a'), 7, 8);
      await utimes(join(root, 'etc/same'), 1, 1);
      await writeFile(join(root, 'made'), '');
      await rm(join(root, 'made'));
      assert.deepEqual(await listed(snapshots, 'one'), [
        'C /etc',
        'C /etc/same',
        'C /tree',
        'C /tree/a',
      ]);
      await dispose();
    });

    it('count as many bytes as were written', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      await snapshots.prepareActive('one', await stackLayers(snapshots, BASE));
      const root = await snapshots.mount('one');
      assert.equal(await snapshots.activeSize('one'), 0);
      await writeFile(join(root, 'etc/conf'), 'x'.repeat(1000));
      await writeFile(join(root, 'new'), 'y'.repeat(500));
      await link(join(root, 'new'), join(root, 'twin'));
      await rm(join(root, 'tree'), { recursive: true });
      assert.equal(await snapshots.activeSize('one'), 1500);
      await dispose();
    });

    // The walk is the same for both overlays; making so many files through the helper takes its time.
    if (kind !== 'fuse-overlayfs') {
      it('are looked for in pieces, so that other things can go on', async () => {
        const { snapshots, dispose } = await makeSnapshotter(kind);
        const wide = Array.from({ length: 3000 }, (_, index) => ({ name: `wide/file-${index}` }));
        await snapshots.prepareActive('one', await stackLayers(snapshots, [wide]));
        const root = await snapshots.mount('one');
        await rm(join(root, 'wide'), { recursive: true });
        await mkdir(join(root, 'wide'));
        const lines = listed(snapshots, 'one');
        const turns = await turnsDuring(lines);
        assert.equal((await lines).length, 3001);
        assert.ok(turns > 20, `${turns} turns`);
        await dispose();
      });
    }

    it('make the same tree again as a layer', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const base = await stackLayers(snapshots, BASE);
      assert.ok(base !== undefined);
      await snapshots.prepareActive('one', base);
      const root = await snapshots.mount('one');
      await change(root);
      await snapshots.prepareActive('two', await commit(snapshots, 'one', base));
      const again = await snapshots.mount('two');
      await rm(join(root, 'data'), { recursive: true });
      await writeFile(join(root, 'etc/hosts'), '');
      assert.deepEqual(await describeTree(again), await describeTree(root));
      assert.equal(lgetxattr(join(again, 'etc/new'), 'user.note')?.toString(), 'kept');
      const twins = await Promise.all(
        ['new', 'twin'].map((name) => lstat(join(again, 'etc', name))),
      );
      assert.equal(twins[0]?.ino, twins[1]?.ino);
      await dispose();
    });

    it('stack: what one layer removes, the next may bring back without what was in it', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const steps: readonly ((tree: string) => Promise<void>)[] = [
        (tree) => rm(tree, { recursive: true }),
        (tree) => mkdir(tree),
        (tree) => writeFile(join(tree, 'c'), 'c'),
        (tree) => rename(join(tree, 'c'), join(tree, 'd')),
      ];
      let top = await stackLayers(snapshots, BASE);
      for (const [at, step] of steps.entries()) {
        assert.ok(top !== undefined);
        await snapshots.prepareActive(`step-${at}`, top);
        await step(join(await snapshots.mount(`step-${at}`), 'tree'));
        top = await commit(snapshots, `step-${at}`, top);
      }
      await snapshots.prepareActive('end', top);
      assert.deepEqual(await readdir(join(await snapshots.mount('end'), 'tree')), ['d']);
      await dispose();
    });
  });
}
