/** Pushes to a registry on loopback that behaves, or does not, and to a real one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OCI_INDEX } from '../../src/oci/media-types.ts';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { requires } from '../support/capabilities.ts';
import { ImageEngine, type Transcript } from '../support/image-engine.ts';
import { filesImage } from '../support/images.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { describe as descriptorOf, ociArchive, ociImage } from '../support/oci-image.ts';
import { TestRegistry } from '../support/registry.ts';
import { STUB_CREDENTIALS } from '../support/stub-access.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({
  layers: [{ one: 'one' }, { two: Array.from({ length: 50_000 }, () => Math.random()).join() }],
});
const BIG = IMAGE.manifest.layers[1];

interface World extends AsyncDisposable {
  /** Where the image was pulled from. */
  readonly source: StubRegistry;
  readonly registry: StubRegistry;
  readonly engine: ImageEngine;
  /** The image's name in the registry it is pushed to. */
  readonly name: string;
}

async function makeWorld(): Promise<World> {
  const [source, registry] = [await StubRegistry.start(), await StubRegistry.start()];
  source.add('team/app', 'v1', IMAGE);
  const engine = await ImageEngine.start();
  await engine.pull(`${source.host}/team/app:v1`);
  const name = `${registry.host}/fleet/app`;
  await engine.images.tag(`${source.host}/team/app:v1`, { repository: name, tag: 'v2' });
  return {
    ...{ source, registry, engine, name },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

const statuses = ({ lines }: Transcript) => lines.flatMap(({ status }) => status ?? []);

describe('a push', () => {
  it('says what docker push says, in its order, and keeps the digest', async () => {
    await using world = await makeWorld();
    const transcript = await world.engine.push(`${world.name}:v2`);
    assert.equal(transcript.error, undefined);
    const said = statuses(transcript);
    assert.equal(said[0], `The push refers to repository [${world.name}]`);
    assert.equal(said.filter((status) => status === 'Preparing').length, 2);
    assert.equal(said.filter((status) => status === 'Pushed').length, 2);
    const size = IMAGE.manifestBytes.length;
    assert.equal(said.at(-1), `v2: digest: ${IMAGE.digest} size: ${size}`);
    const aux = { Tag: 'v2', Digest: IMAGE.digest, Size: size };
    assert.deepEqual(transcript.lines.at(-1), { progressDetail: {}, aux });
    const again = await ImageEngine.start();
    await using _ = again;
    await again.pull(`${world.name}@${IMAGE.digest}`);
    assert.equal((await again.images.inspect(IMAGE.id)).manifest.digest, IMAGE.digest);
    const view = await world.engine.images.inspect(IMAGE.id);
    assert.ok(view.repoDigests.includes(`${world.name}@${IMAGE.digest}`));
    assert.ok(world.engine.events.some(({ action }) => action === 'push'));
  });

  it('sends nothing that the registry has', async () => {
    await using world = await makeWorld();
    await world.engine.push(`${world.name}:v2`);
    const before = world.registry.uploads.receivedBytes;
    const said = statuses(await world.engine.push(`${world.name}:v2`));
    assert.equal(said.filter((status) => status === 'Layer already exists').length, 2);
    assert.equal(world.registry.uploads.receivedBytes, before);
  });

  it('compresses layers that are plain tar, once, and keeps the digest from then on', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    const plain = ociImage({
      layers: [{ one: 'one' }, { two: 'two'.repeat(50_000) }],
      packing: 'none',
    });
    const name = `${registry.host}/fleet/plain:v1`;
    await engine.load(ociArchive(plain, name));
    const digestIn = ({ lines }: Transcript) => lines.at(-1)?.aux as { Digest: string } | undefined;
    const first = digestIn(await engine.push(name));
    assert.ok(registry.uploads.receivedBytes < 20_000, `${registry.uploads.receivedBytes} bytes`);
    const before = registry.uploads.receivedBytes;
    assert.deepEqual(digestIn(await engine.push(name)), first);
    assert.equal(registry.uploads.receivedBytes, before);
    assert.deepEqual((await engine.images.inspect(name)).repoDigests, [
      `${registry.host}/fleet/plain@${first?.Digest}`,
    ]);
    await using other = await ImageEngine.start();
    await other.pull(name);
    assert.equal((await other.images.inspect(name)).id, plain.id);
  });

  it('takes a broken upload up where it broke', async () => {
    await using world = await makeWorld();
    world.registry.misbehave(/uploads\/upload/, { kind: 'reset' }, 2);
    const { error } = await world.engine.push(`${world.name}:v2`);
    assert.equal(error, undefined);
    assert.ok(world.registry.count(/^PATCH /) > 0);
    const total = [IMAGE.manifest.config, ...IMAGE.manifest.layers].reduce(
      (sum, { size }) => sum + size,
      0,
    );
    assert.equal(world.registry.uploads.receivedBytes, total);
  });

  it('begins anew when the registry has forgotten the upload', async () => {
    await using world = await makeWorld();
    world.registry.uploads.remembersBroken = false;
    world.registry.misbehave(/uploads\/upload/, { kind: 'reset' }, 1);
    assert.equal((await world.engine.push(`${world.name}:v2`)).error, undefined);
    assert.ok(world.registry.uploads.receivedBytes > (BIG?.size ?? 0));
  });

  it('tries again after answers that mean "later"', async () => {
    await using world = await makeWorld();
    world.registry.misbehave(/manifests/, { kind: 'status', status: 503 }, 2);
    world.registry.misbehave(/uploads/, { kind: 'status', status: 429 }, 1);
    assert.equal((await world.engine.push(`${world.name}:v2`)).error, undefined);
  });

  it('gives up on what will not change, with the reason as the last word', async () => {
    await using world = await makeWorld();
    world.registry.misbehave(/uploads/, { kind: 'status', status: 403 }, 100);
    const { error } = await world.engine.push(`${world.name}:v2`);
    assert.equal(kindOf(error), 'internal');
    assert.match(messageOf(error), /403/);
  });

  it('gets in with a token, or with a name and password', async () => {
    for (const auth of ['bearer', 'basic'] as const) {
      await using world = await makeWorld();
      world.registry.access.auth = auth;
      const denied = await world.engine.push(`${world.name}:v2`, { credentials: undefined });
      if (auth === 'basic') assert.match(messageOf(denied.error), /no basic auth credentials/);
      const { error } = await world.engine.push(`${world.name}:v2`, {
        credentials: STUB_CREDENTIALS,
      });
      assert.equal(error, undefined, auth);
    }
  });

  it('tells in the stream what is not there to be pushed', async () => {
    await using world = await makeWorld();
    const unknown = await world.engine.push('nobody/nothing:v1');
    assert.equal(unknown.lines.length, 1);
    assert.match(
      messageOf(unknown.error),
      /^An image does not exist locally with the tag: nobody\/nothing$/,
    );
    const otherTag = await world.engine.push(`${world.name}:v3`);
    assert.match(messageOf(otherTag.error), /^tag does not exist: .*fleet\/app:v3$/);
  });

  it('without a tag pushes all tags of the repository', async () => {
    await using world = await makeWorld();
    await world.engine.images.tag(IMAGE.id, { repository: world.name, tag: 'v9' });
    const said = statuses(await world.engine.push(world.name));
    assert.deepEqual(
      said.filter((status) => status.includes('digest:')).map((status) => status.split(':')[0]),
      ['v2', 'v9'],
    );
  });

  it('says when only one image of an index could be pushed', async () => {
    await using world = await makeWorld();
    const manifests = [
      {
        ...descriptorOf(IMAGE.manifest.mediaType ?? '', IMAGE.manifestBytes),
        architecture: 'amd64',
      },
      { ...descriptorOf(IMAGE.manifest.mediaType ?? '', Buffer.from('{}')), architecture: 'arm64' },
    ].map(({ architecture, ...child }) => ({ ...child, platform: { os: 'linux', architecture } }));
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    );
    world.source.addManifest('team/app', 'multi', { mediaType: OCI_INDEX, bytes });
    await world.engine.pull(`${world.source.host}/team/app:multi`);
    await world.engine.images.tag(`${world.source.host}/team/app:multi`, {
      ...{ repository: world.name, tag: 'multi' },
    });
    const { lines, error } = await world.engine.push(`${world.name}:multi`);
    assert.equal(error, undefined);
    const note = lines.find(({ aux }) => JSON.stringify(aux ?? '').includes('InsteadOfIndex'));
    assert.ok(note);
  });
});

describe('a search', () => {
  it('says so when the registry has no index', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    const search = { term: `${registry.host}/boat`, limit: 5, filters: new Map() };
    const failure = await engine.images
      .search(search, AbortSignal.timeout(10_000))
      .catch((error: unknown) => error);
    assert.equal(kindOf(failure), 'not-implemented');
    assert.match(messageOf(failure), /has no search index/);
  });

  it('gives what the index finds and the filters let through', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    registry.searchResults = [
      { name: 'fleet/boat', star_count: 5, is_official: true },
      { name: 'fleet/oar', star_count: 1 },
    ];
    const filters = new Map([['stars', ['3']]]);
    const search = { term: `${registry.host}/fleet`, limit: 0, filters };
    const found = await engine.images.search(search, AbortSignal.timeout(10_000));
    assert.deepEqual(
      found.map(({ name, isOfficial }) => [name, isOfficial]),
      [['fleet/boat', true]],
    );
    assert.equal(registry.count(/^\/v1\/search$/), 1);
  });
});

describe('docker-registry', requires('docker-registry'), () => {
  it('takes pushes, mounts layers across repositories, and gives the same digest back', async () => {
    await using registry = await TestRegistry.start();
    await using engine = await ImageEngine.start();
    const recipe = await filesImage('team/app:v1', { hello: 'hello', world: 'world' });
    const { reference, digest } = await registry.push(recipe);
    await engine.pull(reference);
    await engine.images.tag(reference, { repository: `${registry.host}/fleet/app`, tag: 'v1' });
    const transcript = await engine.push(`${registry.host}/fleet/app:v1`);
    assert.equal(transcript.error, undefined);
    assert.ok(statuses(transcript).includes('Mounted from team/app'));
    await using other = await ImageEngine.start();
    await other.pull(`${registry.host}/fleet/app:v1`);
    const view = await other.images.inspect(`${registry.host}/fleet/app:v1`);
    assert.equal(view.manifest.digest, digest);
  });

  it('is described without being fetched, and pulled with all its tags', async () => {
    await using registry = await TestRegistry.start();
    await using engine = await ImageEngine.start();
    for (const tag of ['one', 'two']) {
      await registry.push(await filesImage(`team/app:${tag}`, { hello: tag }));
    }
    const image = `${registry.host}/team/app`;
    const request = { image: `${image}:one`, credentials: undefined };
    const remote = await engine.images.describeRemote(request, AbortSignal.timeout(10_000));
    assert.deepEqual(remote.platforms, [{ os: 'linux', architecture: 'amd64' }]);
    assert.equal((await engine.pull(image)).error, undefined);
    for (const tag of ['one', 'two']) await engine.images.inspect(`${image}:${tag}`);
  });
});
