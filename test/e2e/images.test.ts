import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { imageBlobs } from '../../scripts/image/image-archive.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX, busyboxArchive, filesImage } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';

const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const listed = (reference: string) => daemon.ok('images', '-q', '--no-trunc', reference);

test('an image is pulled by its tag, listed, inspected and removed', async () => {
  const { reference, digest } = await registry.push(
    await filesImage('fleet/boat:1', { a: '1', b: '2' }),
  );
  const progress = await daemon.ok('pull', reference);
  assert.match(progress, /Pull complete|Downloaded newer image/);
  assert.match(progress, new RegExp(`Digest: ${digest}`));
  assert.match(await daemon.ok('pull', reference), /Image is up to date/);
  assert.match(
    await daemon.ok('image', 'inspect', '-f', '{{.RepoDigests}}', reference),
    new RegExp(digest),
  );
  assert.match(await daemon.ok('rmi', reference), /Untagged: .*\n.*Deleted: sha256:/s);
  assert.equal(await listed(reference), '');
});

test('an image is pulled by its digest and has no tag', async () => {
  const { digest } = await registry.push(await filesImage('fleet/boat:2', { a: 'by digest' }));
  const reference = `${registry.host}/fleet/boat@${digest}`;
  assert.match(await daemon.ok('pull', reference), new RegExp(`Digest: ${digest}`));
  assert.equal(await daemon.ok('image', 'inspect', '-f', '{{.RepoTags}}', reference), '[]');
  await daemon.ok('rmi', reference);
});

test('run pulls an image that is missing', async () => {
  const { reference } = await registry.push(
    await filesImage('fleet/other:1', { a: 'pulled by run' }),
  );
  const { code, stderr } = await daemon.docker('run', '--rm', reference, '/a');
  assert.match(stderr, /Unable to find image/);
  assert.equal(code, 126);
  await daemon.ok('rmi', reference);
});

test('two pulls of one image at once both succeed', async () => {
  const { reference } = await registry.push(
    await filesImage('fleet/twice:1', { a: 'x'.repeat(1 << 20) }),
  );
  const pulls = await Promise.all([
    daemon.docker('pull', reference),
    daemon.docker('pull', reference),
  ]);
  assert.deepEqual(
    pulls.map(({ code }) => code),
    [0, 0],
  );
  await daemon.ok('rmi', reference);
});

test('an archive is loaded and its image runs', async () => {
  const stdin = await busyboxArchive('loaded/busybox:7');
  const { code, stdout } = await daemon.dockerWith({ stdin }, 'load');
  assert.equal(code, 0);
  assert.match(stdout, /Loaded image: loaded\/busybox:7/);
  assert.equal(await daemon.ok('run', '--rm', 'loaded/busybox:7', 'echo', 'runs'), 'runs');
  await daemon.ok('rmi', 'loaded/busybox:7');
});

test('a tag is one more name, and removing it keeps the image', async () => {
  await daemon.ok('tag', BUSYBOX, 'mine:dev');
  assert.equal(await listed('mine:dev'), await listed(BUSYBOX));
  assert.equal(await daemon.ok('rmi', 'mine:dev'), 'Untagged: mine:dev');
  assert.notEqual(await listed(BUSYBOX), '');
});

test('an image in use is not removed', async () => {
  await daemon.ok('create', '--name', 'holder', BUSYBOX);
  const { code, stderr } = await daemon.docker('rmi', BUSYBOX);
  assert.equal(code, 1);
  assert.match(stderr, /conflict: unable to (remove repository reference|delete)/);
  await daemon.ok('rm', 'holder');
});

test('history tells how an image was made', async () => {
  assert.match(await daemon.ok('history', '--no-trunc', BUSYBOX), /static busybox/);
});

test('an image is pushed under another name, its layers mounted, and comes back the same', async () => {
  const { reference, digest } = await registry.push(
    await filesImage('fleet/push:1', { a: 'cargo', b: 'ballast' }),
  );
  await daemon.ok('pull', reference);
  const [one, two] = [`${registry.host}/fleet/copy:1`, `${registry.host}/fleet/copy:2`];
  await daemon.ok('tag', reference, one);
  await daemon.ok('tag', reference, two);
  const said = await daemon.ok('push', one);
  assert.match(said, /The push refers to repository \[.*\/fleet\/copy\]/);
  assert.match(said, /Mounted from fleet\/push/);
  assert.match(said, new RegExp(`1: digest: ${digest} size: \\d+`));
  assert.match(
    await daemon.ok('push', '-a', `${registry.host}/fleet/copy`),
    /already exists.*2: digest/s,
  );
  await daemon.ok('rmi', reference, one, two);
  assert.match(await daemon.ok('pull', two), new RegExp(`Digest: ${digest}`));
  const missing = await daemon.docker('push', `${registry.host}/fleet/nothing:1`);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /An image does not exist locally with the tag/);
});

test('a manifest that is not there is a missing tag, and the next pull works', async () => {
  const { code, stderr } = await daemon.docker('pull', `${registry.host}/fleet/boat:none`);
  assert.equal(code, 1);
  assert.match(stderr, /manifest (for .* not found|unknown)/);
});

test('an unknown image is reported in docker’s words', async () => {
  const { code, stderr } = await daemon.docker('image', 'inspect', 'no/such:image');
  assert.equal(code, 1);
  assert.match(stderr, /No such image: no\/such:image/);
});

test('a registry that is down is named, and nothing is left', async () => {
  const { code, stderr } = await daemon.docker('pull', '127.0.0.1:9/fleet/boat:1');
  assert.equal(code, 1);
  assert.match(stderr, /127\.0\.0\.1:9.*(connection )?refused/s);
});

test('a layer with other bytes than its digest says is refused, and pulls once it is whole', async () => {
  const recipe = await filesImage('fleet/spoilt:1', { a: 'precious'.repeat(1000) });
  const { reference } = await registry.push(recipe);
  const [layer] = imageBlobs(recipe).layers;
  assert.ok(layer !== undefined);
  await writeFile(registry.blobPath(layer.digest), Buffer.alloc(layer.bytes.length, 7));
  const spoilt = await daemon.docker('pull', reference);
  assert.equal(spoilt.code, 1);
  assert.equal(await listed(reference), '');
  await writeFile(registry.blobPath(layer.digest), layer.bytes);
  await daemon.ok('pull', reference);
  await daemon.ok('rmi', reference);
});

test('a layer that ends early is refused, and pulls once it is whole', async () => {
  const recipe = await filesImage('fleet/short:1', { a: String(Math.random()).repeat(5000) });
  const { reference } = await registry.push(recipe);
  const [layer] = imageBlobs(recipe).layers;
  assert.ok(layer !== undefined);
  await truncate(registry.blobPath(layer.digest), layer.bytes.length >> 1);
  const short = await daemon.docker('pull', reference);
  assert.equal(short.code, 1);
  await writeFile(registry.blobPath(layer.digest), layer.bytes);
  await daemon.ok('pull', reference);
  await daemon.ok('rmi', reference);
});

test('a container names the manifest of its image since API 1.48', async () => {
  await daemon.ok('create', '--name', 'described', BUSYBOX, 'true');
  const described = async (version: string) => {
    const path = `/v${version}/containers/described/json`;
    return ((await daemon.get(path)) as Record<string, unknown>)['ImageManifestDescriptor'];
  };
  const image = (await daemon.get(`/images/${BUSYBOX}/json?manifests=1`)) as {
    readonly Manifests: readonly { readonly Descriptor: { readonly digest: string } }[];
  };
  const descriptor = (await described('1.48')) as Record<string, unknown>;
  assert.equal(descriptor['digest'], image.Manifests[0]?.Descriptor.digest);
  assert.equal((descriptor['platform'] as Record<string, unknown>)['os'], 'linux');
  assert.equal(await described('1.47'), undefined);
  await daemon.ok('rm', 'described');
});

test('names in full are found by filters, and a name like a digest is refused', async () => {
  await daemon.ok('tag', BUSYBOX, 'lamp');
  for (const pattern of ['docker.io/library/lamp', 'docker.io/library/lamp:*', 'lamp']) {
    assert.notEqual(await daemon.ok('images', '-q', '--filter', `reference=${pattern}`), '');
  }
  const { stderr } = await daemon.docker('tag', BUSYBOX, 'sha256:some');
  assert.match(stderr, /refusing to create an ambiguous tag using digest algorithm as name/);
  await daemon.ok('rmi', 'lamp');
});

test('a word that is no platform is refused before anything is fetched', async () => {
  const { code, stderr } = await daemon.docker('pull', '--platform', 'foobar', BUSYBOX);
  assert.notEqual(code, 0);
  assert.match(stderr, /unknown operating system or architecture/);
});
