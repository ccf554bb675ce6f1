/** Loading, naming, listing and removing images on real storage. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { messageOf } from '../../src/shared/errors.ts';
import { requires } from '../support/capabilities.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { layerTar } from '../support/layer-tar.ts';
import { dockerArchive, ociArchive, ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { PACKER_NAMES, pack } from '../support/pack.ts';

const FIRST = ociImage({
  layers: [{ shared: 'shared' }, { first: 'first' }],
  config: { Labels: { team: 'boats' } },
  created: '2024-01-01T00:00:00Z',
});
const SECOND = ociImage({
  layers: [{ shared: 'shared' }, { second: 'second' }],
  created: '2025-01-01T00:00:00Z',
});
const CONTAINER = { id: 'c'.repeat(64), name: 'web', running: false };

const filters = (entries: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(entries));

let engine: ImageEngine;
beforeEach(async () => {
  engine = await ImageEngine.start();
});
afterEach(() => engine[Symbol.asyncDispose]());

describe('docker load', () => {
  it('takes a docker archive and names its images', async () => {
    const { lines, error } = await engine.load(dockerArchive(FIRST, ['app:1', 'host:5000/app:2']));
    assert.equal(error, undefined);
    const said = lines.filter((line) => line.stream !== undefined);
    assert.deepEqual(said, [
      { stream: 'Loaded image: app:1\n' },
      { stream: 'Loaded image: host:5000/app:2\n' },
    ]);
    assert.equal((await engine.images.inspect('app:1')).id, FIRST.id);
  });

  it('takes a compressed OCI archive, with and without a name', async () => {
    const named = await engine.load(gzipSync(ociArchive(FIRST, 'docker.io/library/app:1')));
    assert.deepEqual(named.lines.at(-1), { stream: 'Loaded image: app:1\n' });
    const nameless = await engine.load(ociArchive(SECOND, undefined));
    assert.deepEqual(nameless.lines.at(-1), { stream: `Loaded image ID: ${SECOND.id}\n` });
    assert.equal((await engine.images.inspect('app:1')).manifest.digest, FIRST.digest);
  });

  it('takes archives packed by every tool', requires(...PACKER_NAMES), async () => {
    for (const name of PACKER_NAMES) {
      const { error } = await engine.load(pack(name, dockerArchive(FIRST, [`app:${name}`])));
      assert.equal(error, undefined);
      assert.equal((await engine.images.inspect(`app:${name}`)).id, FIRST.id);
    }
  });

  it('takes layers that are plain or packed by zstd', requires('zstd'), async () => {
    for (const packing of ['none', 'zstd'] as const) {
      const image = ociImage({ layers: [{ 'a/': '', 'a/b': 'x'.repeat(300_000) }], packing });
      const { error } = await engine.load(ociArchive(image, `packed:${packing}`));
      assert.equal(error, undefined);
      const { layerChainIds, sizeBytes } = await engine.images.inspect(`packed:${packing}`);
      assert.deepEqual([layerChainIds, sizeBytes], [image.diffIds, 300_000]);
    }
  });

  it('takes only what is for the platform that was asked for', async () => {
    const load = (platform: string) => engine.load(dockerArchive(FIRST, ['app:1']), { platform });
    assert.equal((await load('linux/amd64')).error, undefined);
    assert.match(messageOf((await load('linux/arm64')).error), /app:1 was found but its platform/);
  });

  it('takes its own image again', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const { lines, error } = await engine.load(dockerArchive(FIRST, ['app:1']));
    assert.equal(error, undefined);
    assert.deepEqual(lines, [{ stream: 'Loaded image: app:1\n' }]);
  });

  it('refuses what is no archive and leaves nothing', async () => {
    const bad: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.alloc(2048, 65), /invalid archive: invalid tar header/],
      [layerTar([{ name: 'hello', content: 'x' }]), /does not contain a manifest.json/],
      [layerTar([{ name: 'manifest.json', content: '{' }]), /invalid archive: manifest.json/],
      [Buffer.from('28b52ffd00000000', 'hex'), /invalid archive: (zstd|unexpected EOF)/],
      [dockerArchive(FIRST, ['app:1']).subarray(0, 3000), /invalid archive/],
      [Buffer.alloc(0), /invalid archive/],
    ];
    for (const [bytes, text] of bad) {
      const { error } = await engine.load(bytes);
      assert.match(messageOf(error), text);
      assert.deepEqual(await engine.leftovers(), NOTHING);
    }
  });

  it('refuses an archive whose layer is not what the config says, and leaves nothing', async () => {
    const wrong = {
      ...FIRST,
      tars: [FIRST.tars[0] ?? Buffer.alloc(0), SECOND.tars[1] ?? Buffer.alloc(0)],
    };
    const { error } = await engine.load(dockerArchive(wrong, ['app:1']));
    assert.match(messageOf(error), /diffID should be/);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});

describe('docker images', () => {
  beforeEach(async () => {
    await engine.load(dockerArchive(FIRST, ['app:1', 'other/app:1']));
    await engine.load(dockerArchive(SECOND, []));
  });

  const idsFor = async (entries: Readonly<Record<string, readonly string[]>>) =>
    (await engine.images.list({ all: false, filters: filters(entries) })).map(({ id }) => id);

  it('shows the newest first', async () => {
    assert.deepEqual(await idsFor({}), [SECOND.id, FIRST.id]);
  });

  it('filters', async () => {
    assert.deepEqual(await idsFor({ dangling: ['true'] }), [SECOND.id]);
    assert.deepEqual(await idsFor({ dangling: ['false'] }), [FIRST.id]);
    assert.deepEqual(await idsFor({ label: ['team=boats'] }), [FIRST.id]);
    assert.deepEqual(await idsFor({ label: ['team=trains'] }), []);
    assert.deepEqual(await idsFor({ before: [SECOND.id] }), [FIRST.id]);
    assert.deepEqual(await idsFor({ since: ['app:1'] }), [SECOND.id]);
    assert.deepEqual(await idsFor({ until: ['2024-06-01'] }), [FIRST.id]);
    assert.deepEqual(await idsFor({ reference: ['app'] }), [FIRST.id]);
    assert.deepEqual(await idsFor({ reference: ['*:2'] }), []);
  });

  it('shows only the names that a reference filter asks for', async () => {
    const [image] = await engine.images.list({
      all: false,
      filters: filters({ reference: ['other/*'] }),
    });
    assert.deepEqual(image?.repoTags, ['other/app:1']);
  });

  it('refuses filters that it does not know', async () => {
    assert.equal((await outcomeOf(idsFor({ colour: ['red'] }))).kind, 'invalid-argument');
  });

  it('tells the history with sizes', async () => {
    const history = await engine.images.history('app:1');
    assert.deepEqual(
      history.map(({ id, createdBy, sizeBytes }) => ({ id, createdBy, sizeBytes })),
      [
        { id: FIRST.id, createdBy: 'step 1', sizeBytes: 5 },
        { id: '<missing>', createdBy: 'step 0', sizeBytes: 6 },
      ],
    );
  });
});

describe('docker tag', () => {
  it('adds a name and takes it from the image that had it', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    await engine.load(dockerArchive(SECOND, ['app:2']));
    await engine.images.tag('app:2', { repository: 'app', tag: '1' });
    assert.equal((await engine.images.inspect('app:1')).id, SECOND.id);
    assert.deepEqual((await engine.images.inspect(FIRST.id)).repoTags, []);
    assert.equal(engine.events.at(-1)?.action, 'tag');
  });

  it('refuses bad names and unknown images', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const bad = outcomeOf(engine.images.tag('app:1', { repository: 'App', tag: undefined }));
    assert.deepEqual(await bad, {
      kind: 'invalid-argument',
      text: 'invalid reference format: repository name (library/App) must be lowercase',
    });
    const unknown = outcomeOf(engine.images.tag('nope', { repository: 'x', tag: undefined }));
    assert.deepEqual(await unknown, { kind: 'not-found', text: 'No such image: nope:latest' });
  });
});

describe('docker rmi', () => {
  const remove = (ref: string, force = false) => engine.images.remove(ref, { force, prune: true });

  it('takes off one of several names, and deletes the image with the last', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1', 'app:2']));
    assert.deepEqual(await remove('app:1'), [{ untagged: 'app:1' }]);
    const removals = await remove('app:2');
    assert.deepEqual(removals.slice(0, 2), [{ untagged: 'app:2' }, { deleted: FIRST.id }]);
    assert.equal(removals.length, 4);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });

  it('of a platform takes only an image that is for it', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const removeFor = (...platforms: readonly string[]) =>
      engine.images.remove('app:1', { force: false, prune: true, platforms });
    for (const others of [['linux/arm64'], ['linux/amd64', 'linux/arm64'], ['linux/386']]) {
      const { kind, text } = await outcomeOf(removeFor(...others));
      assert.equal(kind, 'not-found');
      assert.match(text, /app:1 was found but its platform \(linux\/amd64\)/);
    }
    assert.deepEqual((await removeFor('linux/amd64'))[0], { untagged: 'app:1' });
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });

  it('keeps layers that another image has', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    await engine.load(dockerArchive(SECOND, ['app:2']));
    await remove('app:1');
    assert.deepEqual((await engine.leftovers()).layers, 2);
    assert.equal((await engine.images.inspect('app:2')).sizeBytes, 12);
  });

  it('by id takes off all names of one repository, and several only by force', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1', 'other:1']));
    const shortId = FIRST.id.slice(7, 19);
    assert.deepEqual(await outcomeOf(remove(shortId)), {
      kind: 'conflict',
      text: `conflict: unable to delete ${shortId} (must be forced) - image is referenced in multiple repositories`,
    });
    assert.equal((await remove(shortId, true)).length, 5);
  });

  it('refuses while a container stands on it, in the words for stopped and running ones', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const shortId = FIRST.id.slice(7, 19);
    engine.users.set(FIRST.id, [CONTAINER]);
    assert.deepEqual(await outcomeOf(remove('app:1')), {
      kind: 'conflict',
      text: `conflict: unable to remove repository reference "app:1" (must force) - container cccccccccccc is using its referenced image ${shortId}`,
    });
    assert.match((await outcomeOf(remove(shortId))).text, /must be forced.*stopped container cccc/);
    engine.users.set(FIRST.id, [{ ...CONTAINER, running: true }]);
    assert.match(
      (await outcomeOf(remove(shortId, true))).text,
      /cannot be forced.*running container/,
    );
  });

  it('by force leaves a stopped container its layers, until it is gone', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const view = await engine.images.inspect('app:1');
    await engine.snapshots.prepareActive(CONTAINER.id, view.layerChainIds.at(-1));
    engine.users.set(FIRST.id, [CONTAINER]);
    await remove('app:1', true);
    assert.deepEqual((await engine.leftovers()).layers, 2);
    await engine.snapshots.mount(CONTAINER.id);
    await engine.snapshots.removeActive(CONTAINER.id);
    await engine.images.releaseImage(FIRST.id);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });

  it('prunes nameless images, or all unused ones', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    await engine.load(dockerArchive(SECOND, []));
    const dangling = await engine.images.prune(filters({ dangling: ['true'] }));
    assert.deepEqual(dangling.removals[0], { deleted: SECOND.id });
    assert.equal(dangling.reclaimedBytes, 6);
    await engine.images.prune(filters({ dangling: ['false'] }));
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});

describe('events', () => {
  it('tell of each step in the life of an image, and of prunes how much they freed', async () => {
    const { signal } = new AbortController();
    await engine.load(dockerArchive(FIRST, ['app:1']));
    await engine.images.tag('app:1', { repository: 'app', tag: '2' });
    const saved = await engine.images.save({ names: ['app:2'], platform: undefined }, signal);
    for await (const chunk of saved) assert.ok(chunk.length > 0);
    await engine.images.remove('app:1', { force: false, prune: true });
    await engine.images.remove('app:2', { force: false, prune: true });
    await engine.load(dockerArchive(SECOND, []));
    const { reclaimedBytes } = await engine.images.prune(filters({ dangling: ['true'] }));
    assert.ok(reclaimedBytes > 0);
    const told = engine.events.map(({ type, action, actorId }) => {
      assert.equal(type, 'image');
      return action === 'prune' ? action : `${action} ${actorId === FIRST.id ? 'first' : 'second'}`;
    });
    assert.deepEqual(told, [
      ...['load first', 'tag first', 'save first', 'untag first', 'untag first', 'delete first'],
      ...['load second', 'delete second', 'prune'],
    ]);
    assert.deepEqual(engine.events.at(-1)?.attributes, {
      reclaimed: String(reclaimedBytes),
    });
  });
});

describe('a restart', () => {
  it('unpacks lost layers from the blobs', async () => {
    await engine.load(dockerArchive(FIRST, ['app:1']));
    const view = await engine.images.inspect('app:1');
    for (const chainId of view.layerChainIds.toReversed()) {
      await engine.snapshots.removeCommitted(chainId);
    }
    await engine.close();
    await using again = await ImageEngine.start({ root: engine.root });
    assert.deepEqual((await again.leftovers()).layers, 2);
    assert.equal((await again.images.inspect('app:1')).sizeBytes, 11);
    engine = await ImageEngine.start();
  });
});
