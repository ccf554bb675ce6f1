/** Real snapshotters on disk, inside a user and mount namespace. */
import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import {
  type OpenedSnapshotter,
  openSnapshotter,
} from '../../src/storage/snapshots/open-snapshotter.ts';
import { run } from '../../src/sys/exec/run.ts';
import { mount } from '../../src/sys/libc.ts';
import { unmountTree } from '../../src/sys/mount/mount-table.ts';
import { listPids } from '../../src/sys/proc/process-table.ts';
import { testSnapshotterContract } from '../contract/snapshotter.ts';
import { requires } from '../support/capabilities.ts';
import { eventually } from '../support/eventually.ts';
import { makeSnapshotter, SNAPSHOTTER_KINDS, stackLayers } from '../support/snapshots.ts';

for (const kind of SNAPSHOTTER_KINDS) {
  testSnapshotterContract(kind, () => makeSnapshotter(kind));

  describe(`root file systems by ${kind}`, () => {
    it('are the sum of their layers, whiteouts included', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const top = await stackLayers(snapshots, [
        [
          { name: 'etc/', type: '5', mode: 0o755 },
          { name: 'etc/kept', content: 'kept' },
          { name: 'etc/gone', content: 'gone' },
          { name: 'etc/changed', content: 'old' },
          { name: 'opaque/', type: '5', mode: 0o755 },
          { name: 'opaque/hidden', content: 'hidden' },
          { name: 'dir/', type: '5', mode: 0o755 },
          { name: 'dir/below', content: 'below' },
        ],
        [
          { name: 'etc/.wh.gone' },
          { name: 'etc/changed', content: 'new' },
          { name: 'opaque/', type: '5', mode: 0o700 },
          { name: 'opaque/.wh..wh..opq' },
          { name: 'opaque/fresh', content: 'fresh' },
          { name: '.wh.dir' },
          { name: 'dir/', type: '5', mode: 0o755 },
          { name: 'dir/above', content: 'above' },
        ],
      ]);
      await snapshots.prepareActive('one', top);
      const root = await snapshots.mount('one');
      assert.deepEqual((await readdir(join(root, 'etc'))).toSorted(), ['changed', 'kept']);
      assert.equal(await readFile(join(root, 'etc/changed'), 'utf8'), 'new');
      assert.deepEqual(await readdir(join(root, 'opaque')), ['fresh']);
      assert.equal((await lstat(join(root, 'opaque'))).mode & 0o7777, 0o700);
      assert.deepEqual(await readdir(join(root, 'dir')), ['above']);
      await dispose();
    });

    it('keep what was written over unmounts and restarts, and leave the layers alone', async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      const top = await stackLayers(snapshots, [[{ name: 'file', content: 'old' }]]);
      await snapshots.prepareActive('one', top);
      await writeFile(join(await snapshots.mount('one'), 'file'), 'new!');
      await snapshots.unmount('one');
      const again = await reopen();
      assert.deepEqual(await again.listActive(), ['one']);
      assert.equal(await readFile(join(await again.mount('one'), 'file'), 'utf8'), 'new!');
      await again.prepareActive('two', top);
      assert.equal(await readFile(join(await again.mount('two'), 'file'), 'utf8'), 'old');
      assert.ok((await again.activeSize('one')) > 0);
      await dispose();
    });

    it('become layers with what was written and removed in them', async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      const files = ['kept', 'gone', 'changed'].map((name) => ({ name, content: 'old' }));
      const top = await stackLayers(snapshots, [files]);
      await snapshots.prepareActive('one', top);
      const root = await snapshots.mount('one');
      await rm(join(root, 'gone'));
      await writeFile(join(root, 'changed'), 'new');
      const chainId = digestOf('made');
      await snapshots.commitActive('one', { chainId, sizeBytes: 3 });
      const again = await reopen();
      await again.prepareActive('two', chainId);
      const next = await again.mount('two');
      assert.deepEqual((await readdir(next)).toSorted(), ['changed', 'kept']);
      assert.equal(await readFile(join(next, 'changed'), 'utf8'), 'new');
      await dispose();
    });

    it('have the mode of the topmost layer at their root', async () => {
      const { snapshots, dispose } = await makeSnapshotter(kind);
      const top = await stackLayers(snapshots, [[{ name: './', type: '5', mode: 0o1777 }]]);
      await snapshots.prepareActive('one', top);
      assert.equal((await lstat(await snapshots.mount('one'))).mode & 0o7777, 0o1777);
      await dispose();
    });

    it('lose what a crash left unfinished, at the next start', async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      const slot = await snapshots.prepareLayer();
      await writeFile(join(slot.dir, 'half'), 'half');
      await mkdir(join(slot.dir, '../../../active/unfinished/fs'), { recursive: true });
      const again = await reopen();
      assert.deepEqual(await again.listCommitted(), []);
      assert.deepEqual(await again.listActive(), []);
      await assert.rejects(lstat(slot.dir), { code: 'ENOENT' });
      await dispose();
    });
  });
}

describe('overlay mounts', () => {
  it('take 127 layers', async () => {
    const { snapshots, dispose } = await makeSnapshotter('overlay');
    const layers = Array.from({ length: 127 }, (_, index) => [
      { name: `file-${index}`, content: String(index) },
    ]);
    await snapshots.prepareActive('deep', await stackLayers(snapshots, layers));
    assert.equal((await readdir(await snapshots.mount('deep'))).length, 127);
    await dispose();
  });

  for (const kind of SNAPSHOTTER_KINDS.filter((name) => name !== 'copy')) {
    it(`survive a restart of the engine (${kind})`, async () => {
      const { snapshots, reopen, dispose } = await makeSnapshotter(kind);
      await snapshots.prepareActive('one', undefined);
      const place = await snapshots.mount('one');
      await writeFile(join(place, 'file'), 'here');
      const again = await reopen();
      assert.equal(await again.mount('one'), place);
      assert.equal(await readFile(join(place, 'file'), 'utf8'), 'here');
      await again.unmount('one');
      await assert.rejects(lstat(place), { code: 'ENOENT' });
      await dispose();
    });
  }
});

describe('a fuse-overlayfs that died', requires('fuse-overlayfs'), () => {
  it('is told of, and gives way to a new one with the same files', async () => {
    const { snapshots, reopen, dispose } = await makeSnapshotter('fuse-overlayfs');
    await snapshots.prepareActive('one', undefined);
    const place = await snapshots.mount('one');
    await writeFile(join(place, 'file'), 'here');
    assert.deepEqual(await snapshots.checker.brokenActive(), []);
    await killHelperOf(place);
    await assert.rejects(readFile(join(place, 'file')), { code: 'ENOTCONN' });
    const [broken] = await snapshots.checker.brokenActive();
    assert.deepEqual([broken?.key, broken?.cure], ['one', 'restart the container']);
    assert.equal(await snapshots.mount('one'), place);
    assert.equal(await readFile(join(place, 'file'), 'utf8'), 'here');
    await killHelperOf(place);
    const again = await reopen();
    await again.unmount('one');
    await assert.rejects(lstat(place), { code: 'ENOENT' });
    assert.equal(await readFile(join(await again.mount('one'), 'file'), 'utf8'), 'here');
    await dispose();
  });

  it('is no process any more once its file system is unmounted', async () => {
    const { snapshots, dispose } = await makeSnapshotter('fuse-overlayfs');
    await snapshots.prepareActive('one', undefined);
    const place = await snapshots.mount('one');
    assert.notEqual(await helperOf(place), undefined);
    await snapshots.unmount('one');
    await eventually(async () => (await helperOf(place)) === undefined);
    await dispose();
  });
});

describe('the choice of a snapshotter', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'choose-'));
  });
  afterEach(async () => {
    await unmountTree(root);
    await rm(root, { recursive: true });
  });

  const open = async (data: string, driver?: string) => {
    const { snapshots, reason } = await openSnapshotter({
      ...{ snapshotsDir: join(root, data), rootfsDir: join(root, 'run'), driver },
      logger: silentLogger,
    });
    return { name: snapshots.name, reason, snapshots };
  };
  const chosen = async (data: string, driver?: string) => {
    const { name, reason, snapshots } = await open(data, driver);
    await snapshots.close();
    return { name, reason };
  };
  const makeDirs = (...names: readonly string[]) =>
    Promise.all(names.map((name) => mkdir(join(root, name))));

  it('falls on overlay where it works', async () => {
    assert.deepEqual(await chosen('data'), { name: 'overlay', reason: 'it works here' });
  });

  it(
    'goes by the settings, in our words and in those of Docker',
    requires('fuse-overlayfs'),
    async () => {
      const names = ['overlay', 'overlay2', 'fuse-overlayfs', 'copy', 'vfs'];
      const found = await Promise.all(names.map(async (name) => (await chosen(name, name)).name));
      assert.deepEqual(found, ['overlay', 'overlay', 'fuse-overlayfs', 'copy', 'copy']);
      await assert.rejects(chosen('data', 'zfs'), /unknown storage driver/);
    },
  );

  it(
    'falls on fuse-overlayfs on a file system that refuses overlay',
    requires('fuse-overlayfs'),
    async () => {
      await makeDirs('low', 'up', 'work', 'data');
      const inRoot = (dir: string) => join(root, dir);
      const data = `lowerdir=${inRoot('low')},upperdir=${inRoot('up')},workdir=${inRoot('work')},userxattr`;
      mount({ source: 'overlay', target: inRoot('data'), type: 'overlay', data });
      const { name, reason } = await chosen('data');
      assert.equal(name, 'fuse-overlayfs');
      assert.match(reason, /^it works here; overlay does not work in/);
      await assert.rejects(chosen('data', 'overlay'), /overlay does not work in/);
      await worksIn(await open('data'));
    },
  );

  it('falls on copies where neither works', requires('fuse-overlayfs'), async () => {
    await makeDirs('low', 'up', 'work', 'data');
    const options = 'lowerdir=low,upperdir=up,workdir=work,allow_other';
    const command = { file: 'fuse-overlayfs', args: ['-o', options, 'data'], cwd: root };
    const { exitCode } = await run(command, { timeoutMs: 10_000 });
    assert.equal(exitCode, 0);
    const { name, reason } = await chosen('data');
    assert.equal(name, 'copy');
    assert.match(reason, /overlay does not work.*fuse-overlayfs does not work/);
  });

  it('stays with the driver that has containers', async () => {
    const first = await open('data', 'copy');
    await first.snapshots.prepareActive('box', undefined);
    await first.snapshots.close();
    assert.deepEqual(await chosen('data'), { name: 'copy', reason: 'there are containers of it' });
  });
});

/** Layers, changes and what was removed, on a file system that has no whiteout devices. */
async function worksIn({ snapshots }: { readonly snapshots: OpenedSnapshotter }): Promise<void> {
  const top = await stackLayers(snapshots, [
    [
      { name: 'dir/', type: '5' },
      { name: 'dir/gone', content: '' },
      { name: 'kept', content: 'old' },
    ],
    [{ name: 'dir/.wh.gone' }, { name: 'dir/new', content: 'new' }],
  ]);
  await snapshots.prepareActive('box', top);
  const place = await snapshots.mount('box');
  assert.deepEqual(await readdir(join(place, 'dir')), ['new']);
  await rm(join(place, 'dir/new'));
  await writeFile(join(place, 'kept'), 'changed');
  const changes: string[] = [];
  for await (const { kind, path } of snapshots.diff('box', []).changes()) {
    changes.push(`${kind} ${path}`);
  }
  assert.deepEqual(changes, ['modified /dir', 'deleted /dir/new', 'modified /kept']);
  await snapshots.removeActive('box');
  await snapshots.close();
}

/** Pid of the process that shows the files at `place`. */
async function helperOf(place: string): Promise<number | undefined> {
  for (const pid of await listPids()) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (line.startsWith('fuse-overlayfs\0') && line.endsWith(`${place}\0`)) return pid;
  }
  return undefined;
}

async function killHelperOf(place: string): Promise<void> {
  const pid = await helperOf(place);
  assert.ok(pid !== undefined, 'there is a process');
  process.kill(pid, 'SIGKILL');
  await eventually(async () => (await helperOf(place)) === undefined);
}
