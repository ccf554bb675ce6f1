/** Beginnings of broken downloads: kept, of use, counted, and cleared within limits. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { CacheCollector } from '../../src/engine/cache/cache-collector.ts';
import type { GcPolicy } from '../../src/handshake/gc-settings.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { kindOf } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { ociImage } from '../support/oci-image.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const MIB = 1024 * 1024;
// Text that does not compress: hexadecimal digits at random lose about half.
const IMAGE = ociImage({
  layers: [
    { whole: randomBytes(MIB).toString('hex') },
    { broken: randomBytes(4 * MIB).toString('hex') },
  ],
  packing: 'none',
});
const [FIRST, BROKEN] = IMAGE.manifest.layers.map(({ digest }) => new RegExp(`blobs/${digest}`));
const POLICY: GcPolicy = { all: false, keepDurationMs: 0, filter: {} };

function collector(engine: ImageEngine, policies: readonly GcPolicy[]): CacheCollector {
  return new CacheCollector({
    sources: [engine.images.downloads],
    settings: { enabled: true, policies: [...policies] },
    diskSpace: async () => ({ totalBytes: 1e9, freeBytes: 1e9 }),
    clock: systemClock,
    logger: silentLogger,
  });
}

async function breakPull(registry: StubRegistry, engine: ImageEngine): Promise<string> {
  const name = `${registry.host}/team/app:v1`;
  registry.add('team/app', 'v1', IMAGE);
  registry.misbehave(BROKEN ?? /none/, { kind: 'reset' });
  registry.misbehave(BROKEN ?? /none/, { kind: 'status', status: 500 }, 20);
  const { error } = await engine.pull(name);
  assert.ok(error !== undefined);
  registry.behave();
  registry.requests.length = 0;
  return name;
}

describe('a download that broke for good', () => {
  it('goes on in the next pull, with the layers that had come whole', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    const name = await breakPull(registry, engine);
    assert.deepEqual(await engine.leftovers(), { ...NOTHING, ingests: 2 });
    assert.equal((await engine.pull(name)).error, undefined);
    assert.equal(registry.count(FIRST ?? /none/), 0);
    assert.deepEqual(registry.requests.filter((path) => BROKEN?.test(path)).length, 1);
    assert.equal(registry.count(/bytes=\d+-/), 1);
    assert.equal((await engine.leftovers()).ingests, 0);
  });

  it('survives a restart, and goes when caches are cleared', async () => {
    await using registry = await StubRegistry.start();
    const before = await ImageEngine.start();
    await breakPull(registry, before);
    await before.close();
    await using engine = await ImageEngine.start({ root: before.root });
    const caches = collector(engine, []);
    const entries = await caches.usage();
    assert.deepEqual(
      entries.map(({ type }) => type),
      ['download', 'download'],
    );
    const bytes = entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const pruned = await caches.prune({ all: false, filters: new Map() });
    assert.equal(pruned.reclaimedBytes, bytes);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });

  it('with the engine goes on in the next one, with the layers that had come whole', async () => {
    await using registry = await StubRegistry.start();
    registry.add('team/app', 'v1', IMAGE);
    const before = await ImageEngine.start();
    const [first] = IMAGE.manifest.layers;
    assert.ok(first);
    const bytes = IMAGE.blobs.get(first.digest) ?? Buffer.alloc(0);
    await before.content.ingest({ digest: first.digest }, Readable.from([bytes]));
    await using engine = await ImageEngine.start({ root: before.root });
    assert.deepEqual(await engine.leftovers(), { ...NOTHING, ingests: 1 });
    assert.equal((await engine.pull(`${registry.host}/team/app:v1`)).error, undefined);
    assert.equal(registry.count(FIRST ?? /none/), 0);
  });

  it('is cleared by the policies as far as they say', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    await breakPull(registry, engine);
    const aged = { ...POLICY, keepDurationMs: 3600_000 };
    assert.equal(await collector(engine, [aged]).collect(), 0);
    const budget = { ...POLICY, maxUsedSpace: { bytes: 5 * MIB } };
    assert.ok((await collector(engine, [budget]).collect()) > 0);
    assert.equal((await engine.leftovers()).ingests, 1);
    assert.ok((await collector(engine, [POLICY]).collect()) > 0);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });

  it('whose beginning is damaged is refused and not tried again', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    const name = await breakPull(registry, engine);
    const [partial] = await engine.content.partials.list();
    assert.ok(partial);
    const wrong = Buffer.alloc(partial.sizeBytes, 'wrong');
    await engine.content.partials.remove(partial.digest);
    const source = (async function* () {
      yield wrong;
      throw new Error('broken');
    })();
    const kept = { keepsBeginning: () => true };
    await assert.rejects(engine.content.ingest({ digest: partial.digest }, source, kept));
    const { error } = await engine.pull(name);
    assert.notEqual(kindOf(error), 'cancelled');
    assert.ok(error !== undefined);
    assert.equal((await engine.pull(name)).error, undefined);
  });
});

describe('what a cache holds', () => {
  it('outlives every sweep', async () => {
    const held = new Set(IMAGE.manifest.layers.map(({ digest }) => digest));
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start({ caches: [{ holds: () => held }] });
    registry.add('team/app', 'v1', IMAGE);
    await engine.pull(`${registry.host}/team/app:v1`);
    await engine.images.remove(IMAGE.id, { force: true, prune: true });
    assert.deepEqual(new Set(await engine.content.list()), held);
    held.clear();
    await engine.images.prune(new Map());
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});
