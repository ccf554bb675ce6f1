/** Saving and importing images on real storage. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/oci/digest.ts';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { eventually } from '../support/eventually.ts';
import { ImageEngine, NOTHING, transcribe } from '../support/image-engine.ts';
import { layerTar } from '../support/layer-tar.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { ociArchive, ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { serverThat } from '../support/server-that.ts';

bringLoopbackUp();

const FIRST = ociImage({
  layers: [{ shared: 'shared' }, { first: 'first' }],
  config: { Labels: { team: 'boats' } },
  created: '2024-01-01T00:00:00Z',
});
const SECOND = ociImage({
  layers: [{ shared: 'shared' }, { second: 'second' }],
  created: '2025-01-01T00:00:00Z',
});
let engine: ImageEngine;
beforeEach(async () => {
  engine = await ImageEngine.start();
});
afterEach(() => engine[Symbol.asyncDispose]());

describe('docker save', () => {
  const saved = async (from: ImageEngine, ...names: readonly string[]) => {
    const chunks: Uint8Array[] = [];
    const { signal } = new AbortController();
    const tar = await from.images.save({ names, platform: undefined }, signal);
    for await (const chunk of tar) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const count = (archive: Buffer, text: string) =>
    archive.toString('latin1').split(text).length - 1;

  beforeEach(async () => {
    await engine.load(ociArchive(FIRST, 'docker.io/library/app:1'));
    await engine.images.tag('app:1', { repository: 'app', tag: 'also' });
    await engine.load(ociArchive(SECOND, 'docker.io/library/other:2'));
  });

  it('and load give the same images, digests and names included', async () => {
    const archive = await saved(engine, 'app', 'other:2');
    await using second = await ImageEngine.start();
    const { error } = await second.load(archive);
    assert.equal(error, undefined);
    for (const name of ['app:1', 'app:also', 'other:2']) {
      const [one, other] = [await engine.images.inspect(name), await second.images.inspect(name)];
      const facts = (view: typeof one) => [view.id, view.manifest.digest, view.repoTags.toSorted()];
      assert.deepEqual(facts(other), facts(one));
    }
  });

  it('writes a shared layer once, and the same bytes each time', async () => {
    const archive = await saved(engine, 'app:1', 'other:2');
    const shared = FIRST.manifest.layers[0]?.digest.slice('sha256:'.length) ?? '';
    assert.equal(count(archive, `blobs/sha256/${shared}\0`), 1);
    assert.ok((await saved(engine, 'other:2', 'app:1')).length === archive.length);
    assert.ok((await saved(engine, 'app:1', 'other:2')).equals(archive));
  });

  it('of an id has no name, and of a tag only that one', async () => {
    await using second = await ImageEngine.start();
    await second.load(await saved(engine, FIRST.id));
    assert.deepEqual((await second.images.inspect(FIRST.id)).repoTags, []);
    await second.load(await saved(engine, 'app:also'));
    assert.deepEqual((await second.images.inspect(FIRST.id)).repoTags, ['app:also']);
  });

  it('of what is not there, or for another platform, says so before the first byte', async () => {
    assert.deepEqual(await outcomeOf(saved(engine, 'app:1', 'none')), {
      kind: 'not-found',
      text: 'No such image: none:latest',
    });
    const { signal } = new AbortController();
    const other = engine.images.save({ names: ['app:1'], platform: 'linux/arm64' }, signal);
    assert.match((await outcomeOf(other)).text, /image with reference app:1 was found but/);
  });

  it('keeps the image whole while it is written, although it is removed', async () => {
    const { signal } = new AbortController();
    const tar = await engine.images.save({ names: ['other:2'], platform: undefined }, signal);
    await engine.images.remove('other:2', { force: true, prune: true });
    const chunks: Uint8Array[] = [];
    for await (const chunk of tar) chunks.push(chunk);
    const { error } = await engine.load(Buffer.concat(chunks));
    assert.equal(error, undefined);
    assert.equal((await engine.images.inspect('other:2')).id, SECOND.id);
  });
});

describe('a docker save that is left', () => {
  it('in the middle of a blob lets the image go', async () => {
    const big = ociImage({ layers: [{ big: randomBytes(3_000_000).toString('latin1') }] });
    await engine.load(ociArchive(big, 'docker.io/library/big:1'));
    for (const end of ['leave', 'abort'] as const) {
      const stop = new AbortController();
      const request = { names: ['big:1'], platform: undefined };
      const tar = await engine.images.save(request, stop.signal);
      const iterator = tar[Symbol.asyncIterator]();
      for (let bytes = 0; bytes < 500_000; ) bytes += (await iterator.next()).value?.length ?? 0;
      if (end === 'leave') await iterator.return?.();
      else stop.abort();
    }
    await engine.images.remove('big:1', { force: true, prune: true });
    await eventually(async () => {
      await engine.images.prune(new Map());
      return (await engine.leftovers()).blobs === 0;
    });
  });
});

describe('docker import', () => {
  const tar = layerTar([{ name: 'hello', content: 'hello' }]);
  const request = {
    target: { repository: 'made', tag: 'v1' },
    message: '',
    changes: ['CMD ["/hello"]'],
    platform: undefined,
  };
  async function* body(bytes: Buffer) {
    yield bytes;
  }

  it('makes an image of one layer, plain or compressed', async () => {
    const id = await engine.images.import(request, body(tar));
    const view = await engine.images.inspect('made:v1');
    assert.deepEqual([view.id, view.layerChainIds], [id, [digestOf(tar)]]);
    assert.deepEqual(view.config.config, { Cmd: ['/hello'] });
    assert.equal(view.config.history?.[0]?.comment, 'Imported from -');
    await engine.images.import({ ...request, target: undefined }, body(gzipSync(tar)));
    const arm = { ...request, platform: 'linux/arm64', message: 'a note' };
    await engine.images.import(arm, body(tar));
    const { config } = await engine.images.inspect('made:v1');
    assert.deepEqual([config.architecture, config.history?.[0]?.comment], ['arm64', 'a note']);
  });

  it('of what is no archive, or with bad instructions, leaves nothing', async () => {
    for (const [bytes, changes] of [
      [Buffer.alloc(2048, 65), []],
      [tar.subarray(0, 700), []],
      [gzipSync(tar).subarray(0, 40), []],
      [tar, ['RUN x']],
    ] as const) {
      const failure = await outcomeOf(engine.images.import({ ...request, changes }, body(bytes)));
      assert.equal(failure.kind, 'invalid-argument', failure.text);
      assert.deepEqual(await engine.leftovers(), NOTHING);
    }
  });

  it('from a URL tells how far it is, and leaves nothing when the server refuses or breaks off', async () => {
    const plans: RequestListener[] = [
      (_, response) => void response.writeHead(302, { location: '/there' }).end(),
      (_, response) => void response.setHeader('content-length', tar.length).end(tar),
      (_, response) => void response.end(gzipSync(tar)),
      (_, response) => void response.writeHead(404).end('no such tar\n'),
      (_, response) => {
        response.setHeader('content-length', tar.length);
        response.write(tar.subarray(0, 600), () => response.destroy());
      },
    ];
    await using server = await serverThat((asked, response) => plans.shift()?.(asked, response));
    const { signal } = new AbortController();
    const importFrom = (source: string) =>
      transcribe(engine.images.importFrom(source, request, signal));
    const { lines } = await importFrom(`${server.host}/x.tar`);
    const { id, config } = await engine.images.inspect('made:v1');
    const total = tar.length;
    assert.deepEqual(lines[0], { status: `Downloading from http://${server.host}/x.tar` });
    assert.deepEqual(lines.at(-1), { status: id });
    const counts = lines.filter(({ status }) => status === 'Importing');
    assert.deepEqual(counts.at(-1)?.progressDetail, { current: total, total });
    assert.equal(config.history?.[0]?.comment, `Imported from ${server.host}/x.tar`);
    assert.equal((await importFrom(`http://${server.host}/x.tar.gz`)).error, undefined);
    await engine.images.remove('made:v1', { force: true, prune: true });
    await engine.images.remove(id, { force: true, prune: true });

    const refused = await importFrom(`http://${server.host}/none`);
    assert.match(messageOf(refused.error), /failed to GET .*none with status 404 .*: no such tar$/);
    assert.equal(kindOf(refused.error), 'not-found');
    assert.match(messageOf((await importFrom(`${server.host}/cut`)).error), /EOF|aborted|reset/);
    for (const source of ['ftp://host/x', 'http://']) {
      assert.throws(() => engine.images.importFrom(source, request, signal), /cannot import from/);
    }
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});
