/** Archives unpacked into the tree of a container, friendly and hostile ones. */
import assert from 'node:assert/strict';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { kindOf } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { MountedTrees } from '../../src/storage/archive/mounted-trees.ts';
import type { ExtractOptions, FileTree } from '../../src/storage/file-trees.ts';
import { requires } from '../support/capabilities.ts';
import { turnsDuring } from '../support/event-loop.ts';
import { layerTar, type TarMember } from '../support/layer-tar.ts';
import { PACKER_NAMES, pack } from '../support/pack.ts';

interface World extends AsyncDisposable {
  readonly root: string;
  readonly outside: string;
  readonly tree: FileTree;
}

async function makeWorld(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'tree-'));
  const [root, outside] = [join(dir, 'root'), join(dir, 'outside')];
  for (const name of [root, outside, join(root, 'at')]) await mkdir(name);
  await chmod(root, 0o755);
  const tree = await (await MountedTrees.open(join(dir, 'trees'), silentLogger)).open(root, [], {
    keptIds: undefined,
    ofImage: new Map(),
  });
  return {
    root,
    outside,
    tree,
    async [Symbol.asyncDispose]() {
      await tree.close();
      await rm(dir, { recursive: true });
    },
  };
}

const PLAIN: ExtractOptions = { keepKinds: false, owner: undefined };

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const put = ({ tree }: World, members: readonly TarMember[], options = PLAIN) =>
  tree.extract('/at', inPieces(layerTar(members)), options);

async function kindOfFailure(operation: Promise<unknown>): Promise<string> {
  return await operation.then(
    () => 'none',
    (error: unknown) => kindOf(error),
  );
}

describe('an archive in a container', () => {
  it('may be packed by every tool', requires(...PACKER_NAMES), async () => {
    await using world = await makeWorld();
    for (const name of PACKER_NAMES) {
      const packed = pack(name, layerTar([{ name: `by-${name}`, content: name }]));
      await world.tree.extract('/at', inPieces(packed), PLAIN);
      assert.equal(await readFile(join(world.root, 'at', `by-${name}`), 'utf8'), name);
      const cut = world.tree.extract('/at', inPieces(packed.subarray(0, 30)), PLAIN);
      assert.equal(await kindOfFailure(cut), 'invalid-argument');
    }
  });

  it('with many directories lets other things run, also while it replaces them', async () => {
    await using world = await makeWorld();
    const names = Array.from({ length: 2000 }, (_, index) => `dir/sub-${index}`);
    const members = names.map((name) => ({ name, type: '5', mode: 0o755, mtime: 1e9 }));
    assert.ok((await turnsDuring(put(world, members))) > 20);
    for (const name of names) {
      assert.equal((await lstat(join(world.root, 'at', name))).mtimeMs, 1e12);
    }
    const replaced = await turnsDuring(put(world, [{ name: 'dir', content: 'a file' }]));
    assert.ok(replaced > 10, `${replaced} turns`);
    assert.equal(await readFile(join(world.root, 'at/dir'), 'utf8'), 'a file');
  });

  it('replaces directories by files and the other way round only when it may', async () => {
    await using world = await makeWorld();
    await put(world, [{ name: 'dir/', type: '5' }, { name: 'dir/in' }, { name: 'file' }]);
    const keep = { ...PLAIN, keepKinds: true };
    for (const [member, reason] of [
      [{ name: 'dir', content: 'x' }, /cannot overwrite directory "\/at\/dir" with non-directory/],
      [{ name: 'file/', type: '5' }, /cannot overwrite non-directory "\/at\/file" with directory/],
    ] as const) {
      await assert.rejects(put(world, [member], keep), reason);
    }
    assert.deepEqual(await readdir(join(world.root, 'at/dir')), ['in']);
    await put(world, [
      { name: 'dir', content: 'x' },
      { name: 'file/', type: '5' },
    ]);
    assert.ok((await lstat(join(world.root, 'at/dir'))).isFile());
    assert.ok((await lstat(join(world.root, 'at/file'))).isDirectory());
  });

  it('belongs to whom it says, or to one owner', async () => {
    await using world = await makeWorld();
    const member = { name: 'x', uid: 12, gid: 34, mode: 0o4755 };
    const owner = async () => {
      const { uid, gid, mode } = await lstat(join(world.root, 'at/x'));
      return [uid, gid, mode & 0o7777];
    };
    await put(world, [member]);
    assert.deepEqual(await owner(), [12, 34, 0o4755]);
    await put(world, [member], { ...PLAIN, owner: { uid: 5, gid: 6 } });
    assert.deepEqual(await owner(), [5, 6, 0o4755]);
  });

  it('never leads out of the container by links, its own or those that are there', async () => {
    await using world = await makeWorld();
    const { root, outside } = world;
    await writeFile(join(outside, 'secret'), 'secret');
    // What the container itself has at that path is where its links lead.
    await mkdir(join(root, outside), { recursive: true });
    await symlink(outside, join(root, 'at/absolute'));
    await symlink(`../../${outside}`, join(root, 'at/relative'));
    await put(world, [
      { name: 'absolute/a', content: 'a' },
      { name: 'relative/b', content: 'b' },
      { name: 'own', type: '2', linkName: `/../../../..${outside}` },
      { name: 'own/c', content: 'c' },
    ]);
    assert.deepEqual(await readdir(outside), ['secret']);
    assert.deepEqual((await readdir(join(root, outside))).toSorted(), ['a', 'b', 'c']);
    assert.equal(await readlink(join(root, 'at/own')), `/../../../..${outside}`);
  });

  it('is refused when its names or hard links leave the directory', async () => {
    await using world = await makeWorld();
    await writeFile(join(world.root, 'above'), 'above');
    const bad: readonly TarMember[] = [
      { name: '../above', content: 'x' },
      { name: 'a/../../above', content: 'x' },
      { name: 'link', type: '1', linkName: '../above' },
    ];
    for (const member of bad) {
      assert.equal(await kindOfFailure(put(world, [member])), 'invalid-argument', member.name);
    }
    assert.equal(await readFile(join(world.root, 'above'), 'utf8'), 'above');
    await symlink('/above', join(world.root, 'at/in'));
    await put(world, [{ name: 'in', content: 'a file in the place of the link' }]);
    assert.equal(await readFile(join(world.root, 'above'), 'utf8'), 'above');
  });
});
