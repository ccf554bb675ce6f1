/** Layers on disk: everything a tar can hold, and everything a hostile one can try. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../src/oci/media-types.ts';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import type { UnpackedLayer } from '../../src/storage/layer-unpacker.ts';
import { TarUnpacker } from '../../src/storage/unpack/tar-unpacker.ts';
import { lgetxattr } from '../../src/sys/libc.ts';
import { requires } from '../support/capabilities.ts';
import { turnsDuring } from '../support/event-loop.ts';
import { layerTar, type TarMember } from '../support/layer-tar.ts';
import { pack } from '../support/pack.ts';

interface Scratch extends AsyncDisposable {
  /** The layer's directory; its parent is for what might escape. */
  readonly dir: string;
  readonly around: string;
}

async function makeScratch(): Promise<Scratch> {
  const around = await mkdtemp(join(tmpdir(), 'unpack-'));
  const dir = join(around, 'layer');
  await mkdir(dir, { mode: 0o755 });
  return {
    dir,
    around,
    [Symbol.asyncDispose]: () => rm(around, { recursive: true, force: true }),
  };
}

async function unpackBytes(dir: string, tar: Buffer, sliceBytes = 65536): Promise<UnpackedLayer> {
  const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf(tar) };
  const unpacking = new TarUnpacker().begin({ dir, whiteouts: 'overlay' }, layer);
  const packed = gzipSync(tar);
  try {
    for (let at = 0; at < packed.length; at += sliceBytes) {
      await unpacking.write(packed.subarray(at, at + sliceBytes));
    }
    return await unpacking.finish();
  } finally {
    await unpacking.abort();
  }
}

const unpack = (dir: string, members: readonly TarMember[]) => unpackBytes(dir, layerTar(members));

describe('an unpacked layer', () => {
  it('has owners, modes, times and set-uid bits', async () => {
    await using scratch = await makeScratch();
    await unpack(scratch.dir, [
      { name: 'box/', type: '5', mode: 0o2775, gid: 50, mtime: 1_000_000_000 },
      { name: 'box/tool', content: 'run', mode: 0o4711, uid: 7, gid: 8, mtime: 1_100_000_000 },
      { name: 'box/inherits-nothing', content: '' },
      { name: 'link', type: '2', linkName: 'box/tool', uid: 9, mtime: 1_200_000_000 },
      { name: 'queue', type: '6', mode: 0o622 },
    ]);
    const box = await lstat(join(scratch.dir, 'box'));
    assert.deepEqual([box.mode & 0o7777, box.gid, box.mtimeMs], [0o2775, 50, 1e12]);
    const tool = await lstat(join(scratch.dir, 'box/tool'));
    assert.deepEqual([tool.mode & 0o7777, tool.uid, tool.gid], [0o4711, 7, 8]);
    assert.equal(tool.mtimeMs, 1.1e12);
    assert.equal((await lstat(join(scratch.dir, 'box/inherits-nothing'))).gid, 0);
    const link = await lstat(join(scratch.dir, 'link'));
    assert.deepEqual([link.uid, link.mtimeMs], [9, 1.2e12]);
    const queue = await lstat(join(scratch.dir, 'queue'));
    assert.deepEqual([queue.isFIFO(), queue.mode & 0o777], [true, 0o622]);
  });

  it('has file capabilities and user attributes, but none of the host or of overlay', async () => {
    await using scratch = await makeScratch();
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    await unpack(scratch.dir, [
      {
        name: 'ping',
        content: 'ping',
        pax: {
          'SCHILY.xattr.security.capability': capability,
          'SCHILY.xattr.user.binary': Buffer.from([0xff, 0x00, 0x80, 0x0a]),
          'SCHILY.xattr.user.overlay.opaque': 'y',
          'SCHILY.xattr.trusted.overlay.opaque': 'y',
        },
      },
    ]);
    const path = join(scratch.dir, 'ping');
    assert.equal(lgetxattr(path, 'security.capability')?.readUInt32LE(4), 0x400);
    assert.deepEqual(lgetxattr(path, 'user.binary'), Buffer.from([0xff, 0x00, 0x80, 0x0a]));
    assert.equal(lgetxattr(path, 'user.overlay.opaque'), undefined);
  });

  it('keeps hard links, long names and the last of several entries', async () => {
    await using scratch = await makeScratch();
    const long = `${'deep/'.repeat(40)}${'n'.repeat(120)}`;
    await unpack(scratch.dir, [
      { name: 'one', content: 'first' },
      { name: 'two', type: '1', linkName: 'one' },
      { name: 'short', pax: { path: long }, content: 'long' },
      { name: 'twice', type: '2', linkName: 'one' },
      { name: 'twice', content: 'file now' },
      { name: 'was-dir/', type: '5', mode: 0o755 },
      { name: 'was-dir/inside', content: 'x' },
      { name: 'was-dir', content: 'file now' },
    ]);
    const [one, two] = await Promise.all(
      ['one', 'two'].map((name) => lstat(join(scratch.dir, name))),
    );
    assert.equal(one?.ino, two?.ino);
    assert.equal(await readFile(join(scratch.dir, long), 'utf8'), 'long');
    assert.equal(await readFile(join(scratch.dir, 'twice'), 'utf8'), 'file now');
    assert.equal(await readFile(join(scratch.dir, 'one'), 'utf8'), 'first');
    assert.equal(await readFile(join(scratch.dir, 'was-dir'), 'utf8'), 'file now');
  });

  it('keeps the links of its own directories inside', async () => {
    await using scratch = await makeScratch();
    await unpack(scratch.dir, [
      { name: 'usr/', type: '5', mode: 0o755 },
      { name: 'lib', type: '2', linkName: 'usr' },
      { name: 'etc', type: '2', linkName: '/usr' },
      { name: 'lib/by-relative', content: 'r' },
      { name: 'etc/by-absolute', content: 'a' },
    ]);
    assert.deepEqual((await readdir(join(scratch.dir, 'usr'))).toSorted(), [
      'by-absolute',
      'by-relative',
    ]);
    assert.equal(await readlink(join(scratch.dir, 'lib')), 'usr');
  });

  it('leaves out devices, which a user namespace cannot make', async () => {
    await using scratch = await makeScratch();
    const { skippedDevices } = await unpack(scratch.dir, [
      { name: 'null', type: '3', device: { major: 1, minor: 3 } },
      { name: 'after', content: 'after' },
    ]);
    assert.equal(skippedDevices, 1);
    assert.deepEqual(await readdir(scratch.dir), ['after']);
  });

  it('takes a leading slash for the root of the image', async () => {
    await using scratch = await makeScratch();
    await unpack(scratch.dir, [{ name: '/app/../bin/x', content: 'x' }]);
    assert.equal(await readFile(join(scratch.dir, 'bin/x'), 'utf8'), 'x');
  });

  it('is the same however the bytes are cut', async () => {
    await using scratch = await makeScratch();
    const tar = layerTar([
      { name: 'a', content: 'a'.repeat(5000) },
      { name: 'x', pax: { path: 'b'.repeat(200), mtime: '1.5' }, content: 'b' },
    ]);
    await unpackBytes(scratch.dir, tar, 7);
    assert.equal((await readFile(join(scratch.dir, 'a'))).length, 5000);
    assert.equal((await lstat(join(scratch.dir, 'b'.repeat(200)))).mtimeMs, 1500);
  });

  it('may be packed by zstd, whatever its media type says', requires('zstd'), async () => {
    const tar = layerTar([{ name: 'big', content: 'y'.repeat(1_000_000) }]);
    for (const sliceBytes of [3, 65_536]) {
      await using scratch = await makeScratch();
      const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf(tar) };
      const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'files' }, layer);
      const packed = pack('zstd', tar);
      for (let at = 0; at < packed.length; at += sliceBytes) {
        await unpacking.write(packed.subarray(at, at + sliceBytes));
      }
      assert.equal((await unpacking.finish()).sizeBytes, 1_000_000);
    }
  });

  it(
    'packed by zstd can be given up at any moment, and is corrupt when cut short',
    requires('zstd'),
    async () => {
      await using scratch = await makeScratch();
      const tar = layerTar([{ name: 'big', content: randomBytes(2_000_000) }]);
      const packed = pack('zstd', tar);
      const layer = { mediaType: OCI_LAYER_ZSTD, diffId: digestOf(tar) };
      for (const part of [10, packed.length >> 1, packed.length]) {
        const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'files' }, layer);
        await unpacking.write(packed.subarray(0, part));
        await unpacking.abort();
      }
      const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'files' }, layer);
      await unpacking.write(packed.subarray(0, packed.length >> 1));
      await assert.rejects(unpacking.finish(), { kind: 'corrupt', message: 'unexpected EOF' });
      await unpacking.abort();
    },
  );

  it('has the holes of sparse files, in all forms that tar writes', async () => {
    for (const form of ['gnu', 'posix']) {
      await using scratch = await makeScratch();
      const source = join(scratch.around, 'source');
      await mkdir(source);
      execFileSync('truncate', ['-s', '10M', join(source, 'holey')]);
      execFileSync('dd', [
        'if=/dev/urandom',
        `of=${join(source, 'holey')}`,
        'bs=4096',
        'count=2',
        'seek=300',
        'conv=notrunc',
        'status=none',
      ]);
      const flags = ['--sparse', `--format=${form}`, '-cf', '-', '-C', source, '.'];
      await unpackBytes(scratch.dir, execFileSync('tar', flags, { maxBuffer: 1e8 }));
      const [want, got] = await Promise.all([
        readFile(join(source, 'holey')),
        readFile(join(scratch.dir, 'holey')),
      ]);
      assert.ok(want.equals(got), form);
      assert.ok((await lstat(join(scratch.dir, 'holey'))).blocks < 200, form);
    }
  });

  it('with many directories lets other things run until the last one has its time', async () => {
    await using scratch = await makeScratch();
    const names = Array.from({ length: 2000 }, (_, index) => `dir-${index}`);
    const tar = layerTar(names.map((name) => ({ name, type: '5', mode: 0o755, mtime: 1e9 })));
    const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf(tar) };
    const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'overlay' }, layer);
    await unpacking.write(tar);
    const turns = await turnsDuring(unpacking.finish());
    assert.ok(turns > 10, `${turns} turns`);
    for (const name of names) assert.equal((await lstat(join(scratch.dir, name))).mtimeMs, 1e12);
  });

  it('equals what tar itself extracts', async () => {
    await using scratch = await makeScratch();
    const tar = execFileSync('tar', ['-cf', '-', '-C', '/usr/share', 'terminfo', 'perl5'], {
      maxBuffer: 1e9,
    });
    const reference = join(scratch.around, 'reference');
    await mkdir(reference);
    execFileSync('tar', ['-xpf', '-', '-C', reference], { input: tar });
    await unpackBytes(scratch.dir, tar);
    execFileSync('diff', ['-r', '--no-dereference', reference, scratch.dir]);
    const listing = (dir: string) =>
      execFileSync('find', ['.', '-printf', '%p %m %U %G %T@ %l\n'], { cwd: dir, encoding: 'utf8' })
        .split('\n')
        .filter((line) => !line.startsWith('. '))
        .toSorted();
    assert.deepEqual(listing(scratch.dir), listing(reference));
  });
});

describe('a hostile layer', () => {
  const HOSTILE: Readonly<Record<string, readonly TarMember[]>> = {
    'a name with ..': [{ name: '../escaped', content: 'x' }],
    'a name that climbs in the middle': [{ name: 'a/../../escaped', content: 'x' }],
    'a whiteout outside': [{ name: '../.wh.victim' }],
    'a hard link to the outside': [{ name: 'x', type: '1', linkName: '../victim' }],
    'a hard link through a link': [
      { name: 'out', type: '2', linkName: '/..' },
      { name: 'x', type: '1', linkName: 'out/../victim' },
    ],
    'a symlink that climbs out': [{ name: 'out', type: '2', linkName: '../../etc' }],
    'a parent that is a link to the outside': [
      { name: 'a/', type: '5', mode: 0o755 },
      { name: 'a/b', type: '2', linkName: '..' },
      { name: 'c', type: '2', linkName: 'a/b/../../around' },
      { name: 'c/escaped', content: 'x' },
    ],
    'links that go round in circles': [
      { name: 'p', type: '2', linkName: 'q' },
      { name: 'q', type: '2', linkName: 'p' },
      { name: 'p/x', content: 'x' },
    ],
    'a file as a parent': [
      { name: 'f', content: 'f' },
      { name: 'f/x', content: 'x' },
    ],
    'the root as a file': [{ name: '.', content: 'x' }],
  };

  for (const [trick, members] of Object.entries(HOSTILE)) {
    it(`with ${trick} is refused and writes nothing outside`, async () => {
      await using scratch = await makeScratch();
      const failure = await unpack(scratch.dir, members).catch((error: unknown) => error);
      assert.ok(failure instanceof Error, 'it was accepted');
      assert.match(messageOf(failure), /^failed to register layer: /);
      assert.deepEqual(await readdir(scratch.around), ['layer']);
    });
  }

  it('with an absolute link as a parent stays inside', async () => {
    await using scratch = await makeScratch();
    await unpack(scratch.dir, [
      { name: 'tmp-link', type: '2', linkName: scratch.around },
      { name: 'tmp-link/escaped', content: 'x' },
    ]);
    assert.deepEqual(await readdir(scratch.around), ['layer']);
    assert.equal(await readFile(join(scratch.dir, scratch.around, 'escaped'), 'utf8'), 'x');
  });

  it('that is cut short, or no tar, or no gzip, is corrupt', async () => {
    await using scratch = await makeScratch();
    const tar = layerTar([{ name: 'a', content: 'a'.repeat(2000) }]);
    const bad = [tar.subarray(0, 1024), Buffer.alloc(4096, 65)];
    for (const bytes of bad) {
      const failure = await unpackBytes(scratch.dir, bytes).catch((error: unknown) => error);
      assert.equal(kindOf(failure), 'corrupt');
    }
    const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf(tar) };
    const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'overlay' }, layer);
    const half = gzipSync(tar).subarray(0, 30);
    const failure = await unpacking
      .write(half)
      .then(() => unpacking.finish())
      .catch((error: unknown) => error);
    await unpacking.abort();
    assert.equal(kindOf(failure), 'corrupt');
    assert.equal(messageOf(failure), 'unexpected EOF');
  });

  it('with another diffID than its config says is refused', async () => {
    await using scratch = await makeScratch();
    const tar = layerTar([{ name: 'a', content: 'a' }]);
    const layer = { mediaType: OCI_LAYER_GZIP, diffId: digestOf('something else') };
    const unpacking = new TarUnpacker().begin({ dir: scratch.dir, whiteouts: 'overlay' }, layer);
    await unpacking.write(gzipSync(tar));
    await assert.rejects(unpacking.finish(), /diffID should be/);
    await unpacking.abort();
  });

  it('with owners that are not mapped gets nobody instead, and says who they are', async () => {
    await using scratch = await makeScratch();
    const far = '2000000000';
    const { owners } = await unpack(scratch.dir, [
      { name: 'd/', type: '5', mode: 0o755, pax: { uid: far } },
      { name: 'd/x', content: 'x', gid: 7, mode: 0o640, pax: { uid: far } },
      { name: 'y', content: 'y', uid: 7, gid: 7 },
      { name: 'z', content: 'z', pax: { gid: far } },
      { name: 'h', type: '1', linkName: 'd/x' },
      { name: 'l', type: '2', linkName: 'y', pax: { uid: far } },
      { name: 'again', content: '1', pax: { uid: far } },
      { name: 'again', content: '2', uid: 7, gid: 7 },
    ]);
    const owner = async (name: string) => {
      const { uid, gid } = await lstat(join(scratch.dir, name));
      return [uid, gid];
    };
    assert.deepEqual(await owner('d'), [65534, 0]);
    assert.deepEqual(await owner('d/x'), [65534, 7]);
    assert.deepEqual(await owner('y'), [7, 7]);
    assert.deepEqual(await owner('z'), [0, 65534]);
    assert.deepEqual(await owner('l'), [65534, 0]);
    assert.equal((await lstat(join(scratch.dir, 'd/x'))).mode & 0o777, 0o640);
    assert.deepEqual(
      Object.fromEntries([...owners].map(([name, { uid, gid }]) => [name, [uid, gid]])),
      {
        d: [Number(far), 0],
        'd/x': [Number(far), 7],
        z: [0, Number(far)],
        h: [Number(far), 7],
        l: [Number(far), 0],
      },
    );
  });
});
