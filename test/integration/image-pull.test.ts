/** Pulls from a registry on loopback that behaves, or does not. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { describe as descriptorOf, type OciImage, ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { STUB_CREDENTIALS } from '../support/stub-access.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({
  layers: [
    { 'bin/': '', 'bin/one': 'one' },
    { 'bin/': '', 'bin/two': 'x'.repeat(200_000) },
    { 'etc/': '', 'etc/three': 'three' },
  ],
  config: { Cmd: ['/bin/one'], Labels: { team: 'boats' } },
});

const LAYER = new RegExp(`blobs/${IMAGE.manifest.layers[1]?.digest}`);

interface World extends AsyncDisposable {
  readonly registry: StubRegistry;
  readonly engine: ImageEngine;
  readonly name: string;
}

async function makeWorld(image: OciImage = IMAGE): Promise<World> {
  const registry = await StubRegistry.start();
  registry.add('team/app', 'v1', image);
  const engine = await ImageEngine.start();
  return {
    registry,
    engine,
    name: `${registry.host}/team/app`,
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

describe('a pull', () => {
  it('says what docker pull says, in its order', async () => {
    await using world = await makeWorld();
    const { lines, error } = await world.engine.pull(`${world.name}:v1`);
    assert.equal(error, undefined);
    assert.deepEqual(lines[0], { status: 'Pulling from team/app', id: 'v1' });
    const id = IMAGE.manifest.layers[1]?.digest.slice(7, 19);
    const steps = lines.filter((line) => line.id === id).map((line) => line.status);
    assert.deepEqual(
      [...new Set(steps)],
      [
        'Pulling fs layer',
        'Downloading',
        'Verifying Checksum',
        'Download complete',
        'Extracting',
        'Pull complete',
      ],
    );
    assert.deepEqual(lines.slice(-2), [
      { status: `Digest: ${IMAGE.digest}` },
      { status: `Status: Downloaded newer image for ${world.name}:v1` },
    ]);
  });

  it('makes the image usable by name, digest and id', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    const { images } = world.engine;
    const shortId = IMAGE.id.slice(7, 19);
    for (const ref of [`${world.name}:v1`, `${world.name}@${IMAGE.digest}`, IMAGE.id, shortId]) {
      const view = await images.inspect(ref);
      assert.equal(view.id, IMAGE.id);
      assert.deepEqual(view.repoTags, [`${world.name}:v1`]);
      assert.deepEqual(view.repoDigests, [`${world.name}@${IMAGE.digest}`]);
      assert.equal(view.sizeBytes, 200_008);
    }
  });

  it('gives a root file system with all layers', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    const { snapshots, images } = world.engine;
    const view = await images.inspect(`${world.name}:v1`);
    await snapshots.prepareActive('c1', view.layerChainIds.at(-1));
    const root = await snapshots.mount('c1');
    assert.equal(await readFile(join(root, 'bin/one'), 'utf8'), 'one');
    assert.equal((await readFile(join(root, 'bin/two'))).length, 200_000);
    assert.equal(await readFile(join(root, 'etc/three'), 'utf8'), 'three');
  });

  it('fetches nothing the second time and says that the image is up to date', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    const { lines } = await world.engine.pull(`${world.name}:v1`);
    const statuses = lines.map((line) => line.status);
    assert.equal(statuses.filter((status) => status === 'Already exists').length, 3);
    assert.equal(statuses.at(-1), `Status: Image is up to date for ${world.name}:v1`);
    assert.equal(world.registry.count(/blobs/), 4);
  });

  it('by digest names no tag', async () => {
    await using world = await makeWorld();
    const { error } = await world.engine.pull(world.name, { tag: IMAGE.digest });
    assert.equal(error, undefined);
    const view = await world.engine.images.inspect(`${world.name}@${IMAGE.digest}`);
    assert.deepEqual(view.repoTags, []);
  });

  it('fetches each blob once however many ask at the same time', async () => {
    await using world = await makeWorld();
    const pulls = await Promise.all([1, 2, 3].map(() => world.engine.pull(`${world.name}:v1`)));
    assert.deepEqual(
      pulls.map(({ error }) => error),
      [undefined, undefined, undefined],
    );
    assert.equal(world.registry.count(LAYER), 1);
  });

  it('unpacks a blob that stands twice in an image twice, fetched once', async () => {
    const same = { 'a/': '', 'a/file': 'same' };
    await using world = await makeWorld(ociImage({ layers: [same, { b: 'b' }, same] }));
    const { error } = await world.engine.pull(`${world.name}:v1`);
    assert.equal(error, undefined);
    assert.equal((await world.engine.leftovers()).layers, 3);
    assert.equal(world.registry.count(/blobs/), 3);
  });

  it('moves the tag from the older image', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    const newer = ociImage({ layers: [{ other: 'other' }] });
    world.registry.add('team/app', 'v1', newer);
    await world.engine.pull(`${world.name}:v1`);
    assert.equal((await world.engine.images.inspect(`${world.name}:v1`)).id, newer.id);
    assert.deepEqual((await world.engine.images.inspect(IMAGE.id)).repoTags, []);
  });

  it('publishes an event with the labels of the image', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    assert.deepEqual(world.engine.events, [
      {
        type: 'image',
        action: 'pull',
        actorId: `${world.name}:v1`,
        attributes: { team: 'boats', name: world.name },
      },
    ]);
  });

  it('lists its manifest in the OCI layout', async () => {
    await using world = await makeWorld();
    await world.engine.pull(`${world.name}:v1`);
    const path = join(world.engine.root, 'data/content/index.json');
    const index = JSON.parse(await readFile(path, 'utf8'));
    assert.equal(index.manifests[0].digest, IMAGE.digest);
    const annotations = index.manifests[0].annotations;
    assert.equal(annotations['org.opencontainers.image.ref.name'], `${world.name}:v1`);
  });

  it('is still there after a restart', async () => {
    const registry = await StubRegistry.start();
    registry.add('team/app', 'v1', IMAGE);
    const first = await ImageEngine.start();
    await first.pull(`${registry.host}/team/app:v1`);
    await first.close();
    await using second = await ImageEngine.start({ root: first.root });
    const view = await second.images.inspect(`${registry.host}/team/app:v1`);
    assert.equal(view.sizeBytes, 200_008);
    assert.deepEqual(await second.leftovers(), { blobs: 5, layers: 3, ingests: 0, slots: 3 });
    await registry[Symbol.asyncDispose]();
  });

  it('of an index takes the entry for the platform, and passes over attestations', async () => {
    await using world = await makeWorld();
    const arm = ociImage({ layers: [{ arm: 'arm' }], architecture: 'arm64' });
    world.registry.add('team/app', 'arm', arm);
    const entry = (image: OciImage, architecture: string) => ({
      ...descriptorOf(OCI_MANIFEST, image.manifestBytes),
      platform: { os: 'linux', architecture },
    });
    const attestation = {
      ...entry(IMAGE, 'unknown'),
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    };
    const manifests = [attestation, entry(arm, 'arm64'), entry(IMAGE, 'amd64')];
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }),
    );
    const digest = world.registry.addManifest('team/app', 'multi', { mediaType: OCI_INDEX, bytes });
    const own = await world.engine.pull(`${world.name}:multi`);
    assert.ok(own.lines.some((line) => line.status === `Digest: ${digest}`));
    assert.equal((await world.engine.images.inspect(`${world.name}:multi`)).id, IMAGE.id);
    await world.engine.pull(`${world.name}:multi`, { platform: 'linux/arm64' });
    assert.equal((await world.engine.images.inspect(`${world.name}:multi`)).id, arm.id);
    const missing = await outcomeOf(
      world.engine.pull(`${world.name}:multi`, { platform: 'linux/s390x' }),
    );
    assert.equal(missing.kind, 'not-found');
    assert.match(missing.text, /no matching manifest for linux\/s390x in the manifest list/);
  });
});

describe('credentials', () => {
  for (const auth of ['basic', 'bearer'] as const) {
    it(`are used with ${auth} authentication`, async () => {
      await using world = await makeWorld();
      world.registry.access.auth = auth;
      const { error } = await world.engine.pull(`${world.name}:v1`, {
        credentials: STUB_CREDENTIALS,
      });
      assert.equal(error, undefined);
    });
  }

  it('are asked for in docker words when a registry wants a password', async () => {
    await using world = await makeWorld();
    world.registry.access.auth = 'basic';
    const failure = await outcomeOf(world.engine.pull(`${world.name}:v1`));
    assert.match(failure.text, /no basic auth credentials/);
  });

  it('that are wrong end in an answer, not in a loop', async () => {
    await using world = await makeWorld();
    const wrong = { ...STUB_CREDENTIALS, password: 'wrong' };
    for (const auth of ['basic', 'bearer', 'bearer-loop'] as const) {
      world.registry.access.auth = auth;
      const failure = await outcomeOf(
        world.engine.pull(`${world.name}:v1`, { credentials: wrong }),
      );
      assert.match(failure.text, /unauthorized: /, auth);
    }
    assert.ok(world.registry.requests.length < 20);
  });

  it('do not follow a redirect to another host', async () => {
    await using world = await makeWorld();
    const storage = await StubRegistry.start();
    storage.add('team/app', 'v1', IMAGE);
    world.registry.access.auth = 'bearer';
    world.registry.blobRedirect = `http://${storage.host}`;
    const { error } = await world.engine.pull(`${world.name}:v1`, {
      credentials: STUB_CREDENTIALS,
    });
    assert.equal(error, undefined);
    assert.ok(storage.blobAuthorizations.length >= 4);
    assert.ok(storage.blobAuthorizations.every((header) => header === undefined));
    await storage[Symbol.asyncDispose]();
  });

  it('are checked by a login', async () => {
    await using world = await makeWorld();
    world.registry.access.auth = 'basic';
    const credentials = { ...STUB_CREDENTIALS, serverAddress: world.registry.host };
    const { status } = await world.engine.images.login(credentials);
    assert.equal(status, 'Login Succeeded');
    const refused = await outcomeOf(
      world.engine.images.login({ ...credentials, password: 'wrong' }),
    );
    assert.equal(refused.kind, 'unauthorized');
  });
});

describe('a registry in trouble', () => {
  let world: World;
  before(async () => {
    world = await makeWorld();
  });
  after(() => world[Symbol.asyncDispose]());

  const succeeds = async () => {
    const { error } = await world.engine.pull(`${world.name}:v1`);
    assert.equal(error, undefined);
    await world.engine.images.remove(IMAGE.id, { force: true, prune: true });
    assert.deepEqual(await world.engine.leftovers(), NOTHING);
  };

  it('is asked again after 429 with Retry-After', async () => {
    const headers = { 'retry-after': '1' };
    world.registry.misbehave(/manifests/, { kind: 'status', status: 429, headers });
    const start = performance.now();
    await succeeds();
    assert.ok(performance.now() - start >= 990);
  });

  it('is asked again after 500 and 503', async () => {
    world.registry.misbehave(/manifests/, { kind: 'status', status: 500 });
    world.registry.misbehave(LAYER, { kind: 'status', status: 503 });
    await succeeds();
  });

  it('goes on with a broken download where it stopped', async () => {
    world.registry.misbehave(LAYER, { kind: 'reset' });
    world.registry.misbehave(LAYER, { kind: 'truncate' });
    await succeeds();
    assert.ok(world.registry.count(/bytes=\d+-/) >= 2);
  });

  it('may ignore ranges', async () => {
    world.registry.supportsRanges = false;
    world.registry.misbehave(LAYER, { kind: 'reset' });
    await succeeds();
    world.registry.supportsRanges = true;
  });

  const failsWith = async (text: RegExp) => {
    const { error } = await world.engine.pull(`${world.name}:v1`);
    assert.match(messageOf(error), text);
    assert.deepEqual(await world.engine.leftovers(), NOTHING);
    await succeeds();
  };

  it('fails the pull with nothing left when a layer has the wrong digest', async () => {
    world.registry.misbehave(LAYER, { kind: 'corrupt' });
    await failsWith(/verification failed|invalid tar header/);
  });

  it('fails the pull with nothing left when a layer stays cut short', async () => {
    world.registry.supportsRanges = false;
    world.registry.misbehave(LAYER, { kind: 'truncate' }, 20);
    const { error } = await world.engine.pull(`${world.name}:v1`);
    assert.match(messageOf(error), /unexpected EOF/);
    assert.deepEqual(await world.engine.leftovers(), NOTHING);
  });

  it('that keeps answering 500 is an error that says so', async () => {
    world.registry.misbehave(/manifests/, { kind: 'status', status: 500 }, 4);
    const failure = await outcomeOf(world.engine.pull(`${world.name}:v1`));
    assert.equal(failure.kind, 'internal');
    assert.match(failure.text, /received unexpected HTTP status: 500 Internal Server Error/);
  });

  it('that does not know the tag is docker words for not found', async () => {
    const failure = await outcomeOf(world.engine.pull(`${world.name}:nope`));
    assert.equal(failure.kind, 'not-found');
    assert.equal(
      failure.text,
      `manifest for ${world.name}:nope not found: manifest unknown: manifest unknown`,
    );
  });

  it('that is down is named with its address', async () => {
    const gone = await StubRegistry.start();
    const { host } = gone;
    await gone[Symbol.asyncDispose]();
    const failure = await outcomeOf(world.engine.pull(`${host}/app:v1`));
    assert.equal(failure.kind, 'internal');
    assert.equal(
      failure.text,
      `Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused`,
    );
  });
});

describe('a client that leaves', () => {
  it('ends the pull with nothing left, unless another one waits for the same image', async () => {
    await using world = await makeWorld();
    // Keeps the transfer busy: the first tries get nothing but an asked-for pause.
    const headers = { 'retry-after': '1' };
    world.registry.misbehave(LAYER, { kind: 'status', status: 503, headers });
    const leave = new AbortController();
    const leaver = world.engine.pull(`${world.name}:v1`, {}, leave.signal);
    const stayer = world.engine.pull(`${world.name}:v1`);
    while (world.registry.count(LAYER) === 0) await new Promise(setImmediate);
    leave.abort();
    assert.equal(kindOf((await leaver).error), 'cancelled');
    assert.equal((await stayer).error, undefined);
    await world.engine.images.remove(IMAGE.id, { force: true, prune: true });

    world.registry.misbehave(LAYER, { kind: 'status', status: 503, headers });
    const alone = new AbortController();
    const askedBefore = world.registry.count(LAYER);
    const pull = world.engine.pull(`${world.name}:v1`, {}, alone.signal);
    while (world.registry.count(LAYER) === askedBefore) await new Promise(setImmediate);
    alone.abort();
    assert.equal(kindOf((await pull).error), 'cancelled');
    assert.deepEqual(await world.engine.leftovers(), NOTHING);
  });
});
