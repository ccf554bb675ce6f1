import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { requires } from '../../test/support/capabilities.ts';
import { outcomeOf } from '../../test/support/outcome-of.ts';
import { runCommand } from '../../test/support/run-command.ts';
import { PackageShelf, SHELF_URL } from '../../test/support/vm/package-shelf.ts';
import { type BuildRequest, buildImage } from './build-image.ts';
import { readImage } from './image-document.ts';
import { pullImage } from './pull-image.ts';

const IMAGE_FILES = ['image.json', 'initrd', 'root.erofs', 'vmlinuz'];

async function workshop() {
  const dir = await mkdtemp(join(tmpdir(), 'vm-image-'));
  const shelf = new PackageShelf();
  const recipeDir = join(dir, 'recipe');
  await shelf.writeRecipe(recipeDir);
  const outputDir = join(dir, 'image');
  const build = (changes: Partial<BuildRequest> = {}) =>
    buildImage({
      recipeDir,
      outputDir,
      architecture: 'amd64',
      cacheDir: join(dir, 'cache'),
      npmRegistry: SHELF_URL,
      download: shelf.download,
      onStep: () => undefined,
      withTar: false,
      withPacked: false,
      ...changes,
    });
  const dispose = () => rm(dir, { recursive: true, force: true });
  return { dir, shelf, recipeDir, outputDir, build, [Symbol.asyncDispose]: dispose };
}

describe('the image of the virtual machine', requires('xz', 'busybox', 'erofs'), () => {
  it('has what the recipe names, and what that needs', async () => {
    await using place = await workshop();
    await place.build({ withTar: true });
    const tar = await runCommand(['tar', 'tf', join(place.outputDir, 'root.tar')]);
    const names = tar.stdout.trim().split('\n');
    for (const wanted of [
      ...['bin', 'dev', 'etc/passwd', 'usr/sbin/init', 'usr/bin/node', 'usr/bin/busybox'],
      ...['usr/bin/tool', 'usr/lib/tools/real', 'usr/lib/modules/6.0-test/modules.dep'],
    ]) {
      assert.ok(names.includes(wanted), `${wanted}: ${names}`);
    }
    assert.equal(names.filter((name) => name.includes('share')).length, 0);
    const listed = [
      'usr/lib/modules/6.0-test/modules.dep',
      'usr/lib/modules/6.0-test/modules.alias',
    ];
    const root = join(place.outputDir, 'root.tar');
    const tables = await runCommand(['tar', 'xOf', root, ...listed]);
    assert.deepEqual(tables.stdout.trim().split('\n').toSorted(), [
      'alias nft-b nft_b',
      'kernel/net/nft_a.ko:',
      'kernel/net/nft_b.ko: kernel/net/nft_a.ko',
    ]);
    const checked = await runCommand(['fsck.erofs', join(place.outputDir, 'root.erofs')]);
    assert.equal(checked.code, 0, checked.stderr);
  });

  it('loads in the initial root what the disk needs, in order, without what is built in', async () => {
    await using place = await workshop();
    await place.build();
    const archive = await readFile(join(place.outputDir, 'initrd'));
    const into = join(place.dir, 'initial');
    const script = `mkdir ${into} && cd ${into} && busybox cpio -idm`;
    const unpacked = await runCommand(['sh', '-c', script], { stdin: archive });
    assert.equal(unpacked.code, 0, unpacked.stderr);
    assert.equal(
      await readFile(join(into, 'modules.list'), 'utf8'),
      '/modules/crc.ko\n/modules/erofs.ko\n',
    );
    assert.deepEqual((await readdir(into)).toSorted(), [
      ...['busybox', 'dev', 'init', 'modules', 'modules.list', 'new', 'proc'],
    ]);
  });

  it('is the same, to the byte, when it is built again, and asks for nothing twice', async () => {
    await using place = await workshop();
    const first = await place.build();
    const asked = place.shelf.asked.length;
    const second = await place.build();
    assert.deepEqual(second, first);
    assert.deepEqual(await readImage(place.outputDir), first);
    assert.equal(place.shelf.asked.length, asked);
    assert.deepEqual((await readdir(place.outputDir)).toSorted(), IMAGE_FILES);
  });

  it('comes as an archive for WSL too, with accounts and the start of its own, the same to the byte', async () => {
    await using place = await workshop();
    await place.shelf.writeRecipe(place.recipeDir, {
      links: { bin: 'usr/bin', 'etc/passwd': '/run/passwd', 'etc/resolv.conf': '/run/resolv.conf' },
    });
    const first = await place.build({ withTar: true });
    assert.deepEqual(await place.build({ withTar: true }), first);
    const root = join(place.outputDir, 'root.tar');
    const listed = await runCommand(['tar', 'tvf', root, '--numeric-owner']);
    assert.match(listed.stdout, /^-rwxr-xr-x 0\/0 +\d+ 1970-\S+ \S+ usr\/sbin\/wsl-start$/m);
    assert.doesNotMatch(listed.stdout, /resolv\.conf/);
    const passwd = await runCommand(['tar', 'xOf', root, 'etc/passwd']);
    assert.equal(passwd.stdout, 'root:x:0:0:root:/root:/bin/sh\n');
  });

  it('is not built of a package that is not the pinned one, and the present image stays', async () => {
    await using place = await workshop();
    const first = await place.build();
    await rm(join(place.dir, 'cache'), { recursive: true });
    const tools = place.shelf.files.get('/pool/tools.deb') ?? Buffer.alloc(0);
    place.shelf.files.set('/pool/tools.deb', tools.subarray(0, tools.length - 10));
    const { kind, text } = await outcomeOf(place.build());
    assert.equal(kind, 'corrupt');
    assert.match(text, /pool\/tools.deb has the digest sha256-\w+, not sha256-\w+/);
    assert.deepEqual(await readImage(place.outputDir), first);
    const left = await readdir(place.dir);
    assert.deepEqual(left.toSorted(), ['cache', 'image', 'recipe']);
  });

  it('takes nothing damaged from its cache', async () => {
    await using place = await workshop();
    const first = await place.build();
    const cache = join(place.dir, 'cache');
    for (const name of await readdir(cache)) await writeFile(join(cache, name), 'damaged');
    assert.deepEqual(await place.build(), first);
  });

  const mistakes: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['a program', { programs: ['usr/bin/none'] }, /no package of the recipe has usr\/bin\/none/],
    ['a library', { libraries: ['libnone.so.1'] }, /has libnone\.so\.1/],
    ['a module', { modules: ['none'] }, /the kernel module none/],
    ['a version', { npm: [{ name: 'y', version: '2', into: '', files: [] }] }, /has y 2/],
    ['a field', { programz: [] }, /recipe\.json: .*programz/],
  ];
  for (const [what, changes, message] of mistakes) {
    it(`says which ${what} of the recipe there is not`, async () => {
      await using place = await workshop();
      await place.shelf.writeRecipe(place.recipeDir, changes);
      const { kind, text } = await outcomeOf(place.build());
      assert.equal(kind, 'invalid-argument');
      assert.match(text, message);
    });
  }

  it('is pulled as it was built, and refused when anything of it is damaged', async () => {
    await using place = await workshop();
    const built = await place.build({ withPacked: true });
    const published = join(place.dir, 'published');
    const download = async (url: string) => {
      const bytes = await readFile(join(place.outputDir, url.slice('http://images/'.length)));
      return url.endsWith('initrd.br') && isDamaged ? bytes.subarray(0, bytes.length >> 1) : bytes;
    };
    let isDamaged = false;
    const request = { url: 'http://images/', sha256: undefined, outputDir: published, download };
    const pull = (sha256?: string) => pullImage({ ...request, sha256, onStep: () => undefined });
    assert.deepEqual(await pull(), built);
    assert.deepEqual((await readdir(published)).toSorted(), IMAGE_FILES);
    assert.equal((await outcomeOf(pull('0'.repeat(64)))).kind, 'corrupt');
    isDamaged = true;
    const { kind, text } = await outcomeOf(pull());
    assert.deepEqual([kind, /initrd\.br/.test(text)], ['corrupt', true]);
    assert.deepEqual(await readImage(published), built);
  });
});
