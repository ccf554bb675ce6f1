/** Whatever runs side by side: a sweep never takes what an image or a container needs, and leaves nothing at the end. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { type OciImage, ociImage } from '../support/oci-image.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

/** Large enough that the beginning of a broken download is kept. */
const large = (letter: string) => letter.repeat(1_300_000);
const IMAGES = [['b'], ['b', 'c'], ['b', 'c', 'd'], ['e']].map((letters) =>
  ociImage({
    layers: letters.map((letter) => ({ [letter]: large(letter) })),
    config: { Labels: { of: letters.join('') } },
    packing: 'none',
  }),
);
const ROUNDS = 12;
const AT_ONCE = 8;
const SPREAD_MS = 60;
/** What a verb may answer that lost a race: the image is gone, or still needed. */
const LOST: readonly string[] = ['not-found', 'conflict'];
/** What a pull may answer: it was left, or the registry broke. Never that something of it is gone. */
const BROKEN: readonly string[] = ['cancelled', 'internal'];

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Play {
  readonly #engine: ImageEngine;
  readonly #registry: StubRegistry;
  readonly #next: () => number;
  #containers = 0;

  constructor(engine: ImageEngine, registry: StubRegistry, seed: number) {
    this.#engine = engine;
    this.#registry = registry;
    this.#next = random(seed);
    for (const [index, image] of IMAGES.entries()) registry.add('app', `v${index}`, image);
  }

  async step(): Promise<void> {
    const { images, snapshots } = this.#engine;
    const index = Math.floor(this.#next() * IMAGES.length);
    const image = IMAGES[index] as OciImage;
    const verbs = [
      () => this.#pull(index),
      () => this.#pull(index, AbortSignal.timeout(Math.floor(this.#next() * 40))),
      () => this.#breakPull(index, image),
      () => this.#create(image),
      async () => {
        const [key] = await snapshots.listActive();
        if (key !== undefined) await snapshots.removeActive(key);
      },
      () => images.remove(image.id, { force: true, prune: true }),
      () => images.prune(new Map([['dangling', ['false']]])),
      () => images.releaseImage(image.id),
      async () => images.downloads.evict((await images.downloads.entries()).map(({ id }) => id)),
    ];
    const verb = verbs[Math.floor(this.#next() * verbs.length)];
    // Not all at the beginning: a sweep must fall into the middle of a pull.
    await setTimeout(this.#next() * SPREAD_MS);
    await Promise.resolve(verb?.()).catch((error: unknown) => {
      assert.ok(LOST.includes(kindOf(error)), messageOf(error));
    });
  }

  async #pull(index: number, signal?: AbortSignal): Promise<void> {
    const name = `${this.#registry.host}/app:v${index}`;
    const { error } = await this.#engine
      .pull(name, {}, signal)
      .catch((failure: unknown) => ({ error: failure }));
    if (error !== undefined) assert.ok(BROKEN.includes(kindOf(error)), messageOf(error));
  }

  async #breakPull(index: number, image: OciImage): Promise<void> {
    const layer = new RegExp(`blobs/${image.manifest.layers.at(-1)?.digest}`);
    this.#registry.misbehave(layer, { kind: 'reset' });
    this.#registry.misbehave(layer, { kind: 'status', status: 500 }, 4);
    await this.#pull(index).finally(() => this.#registry.behave());
  }

  async #create(image: OciImage): Promise<void> {
    const { layerChainIds } = await this.#engine.images.inspect(image.id);
    await this.#engine.snapshots.prepareActive(`c${this.#containers++}`, layerChainIds.at(-1));
  }

  /** Everything that is listed is whole. */
  async check(): Promise<void> {
    const { images, snapshots, content } = this.#engine;
    for (const view of await images.list({ all: true, filters: new Map() })) {
      const image = IMAGES.find(({ id }) => id === view.id);
      for (const digest of image?.blobs.keys() ?? []) {
        assert.notEqual(await content.stat(digest), undefined, `blob ${digest} of ${view.id}`);
      }
      for (const chainId of view.layerChainIds) {
        assert.ok(await snapshots.hasCommitted(chainId), `layer ${chainId} of ${view.id}`);
      }
    }
    for (const key of await snapshots.listActive()) {
      await snapshots.mount(key);
      await snapshots.unmount(key);
    }
  }

  async end(): Promise<void> {
    const { images, snapshots } = this.#engine;
    this.#registry.behave();
    for (const key of await snapshots.listActive()) await snapshots.removeActive(key);
    await images.prune(new Map([['dangling', ['false']]]));
    await images.downloads.evict((await images.downloads.entries()).map(({ id }) => id));
    assert.deepEqual(await this.#engine.leftovers(), NOTHING);
  }
}

for (const seed of [1, 2, 3]) {
  it(`holds for pulls, containers, removals and sweeps in random order (seed ${seed})`, async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    const play = new Play(engine, registry, seed);
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => play.step()));
      await play.check();
    }
    await play.end();
  });
}
