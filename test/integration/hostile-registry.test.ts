/** Registries that lie, loop, break off or say nothing: a clear error, nothing left, and the next pull works. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { messageOf } from '../../src/shared/errors.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { describe as descriptorOf, type OciImage, ociImage } from '../support/oci-image.ts';
import { serverThat } from '../support/server-that.ts';
import { STUB_CREDENTIALS } from '../support/stub-access.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({ layers: [{ one: 'one' }, { two: 'x'.repeat(300_000) }] });

/** Pulls and gives the reason why it failed. */
async function refusal(engine: ImageEngine, reference: string): Promise<string> {
  const outcome = await engine
    .pull(reference, { credentials: STUB_CREDENTIALS })
    .catch((error: unknown) => ({ error }));
  assert.ok(outcome.error !== undefined, 'it was accepted');
  return messageOf(outcome.error);
}

/** The image with another manifest; its blobs stay. */
function withManifest(image: OciImage, change: object): { bytes: Buffer; mediaType: string } {
  const bytes = Buffer.from(JSON.stringify({ ...image.manifest, ...change }));
  return { bytes, mediaType: OCI_MANIFEST };
}

describe('a registry that lies about documents', () => {
  const [first, second] = IMAGE.manifest.layers;
  assert.ok(first !== undefined && second !== undefined);
  const nested = (depth: number): Buffer => {
    const child = depth === 0 ? IMAGE.manifestBytes : nested(depth - 1);
    const type = depth === 0 ? OCI_MANIFEST : OCI_INDEX;
    const platform = { os: 'linux', architecture: 'amd64' };
    const manifests = [{ ...descriptorOf(type, child), platform }];
    return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  };
  const LIES: Readonly<Record<string, readonly [{ bytes: Buffer; mediaType: string }, RegExp]>> = {
    'a manifest of many megabytes': [
      { bytes: Buffer.alloc(6_000_000, 32), mediaType: OCI_MANIFEST },
      /manifest is larger than/,
    ],
    'a manifest that is no JSON': [
      { bytes: Buffer.from('{"schemaVersion":2,'), mediaType: OCI_MANIFEST },
      /manifest/,
    ],
    'a layer that is longer than said': [
      withManifest(IMAGE, { layers: [first, { ...second, size: second.size - 1 }] }),
      /too many bytes/,
    ],
    'a layer that is shorter than said': [
      withManifest(IMAGE, { layers: [first, { ...second, size: second.size + 1 }] }),
      /EOF|size/,
    ],
    'a config that is longer than said': [
      withManifest(IMAGE, { config: { ...IMAGE.manifest.config, size: 1 } }),
      /too many bytes/,
    ],
    'more layers than the config knows': [
      withManifest(IMAGE, { layers: [first, second, second] }),
      /layers|diff/i,
    ],
    'layers in another order than the config says': [
      withManifest(IMAGE, { layers: [second, first] }),
      /diffID|diff/i,
    ],
    'an empty index': [
      {
        bytes: Buffer.from(
          JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] }),
        ),
        mediaType: OCI_INDEX,
      },
      /no matching manifest/,
    ],
  };

  for (const [lie, [manifest, reason]] of Object.entries(LIES)) {
    it(`with ${lie} is refused with the reason`, async () => {
      await using registry = await StubRegistry.start();
      await using engine = await ImageEngine.start();
      registry.add('team/app', 'honest', IMAGE);
      registry.addManifest('team/app', 'v1', manifest);
      assert.match(await refusal(engine, `${registry.host}/team/app:v1`), reason);
      assert.deepEqual(await engine.leftovers(), NOTHING);
      assert.equal((await engine.pull(`${registry.host}/team/app:honest`)).error, undefined);
    });
  }

  it('with indexes within indexes without end is refused', async () => {
    await using registry = await StubRegistry.start();
    await using engine = await ImageEngine.start();
    registry.add('team/app', 'honest', IMAGE);
    for (let depth = 0; depth < 8; depth++) {
      const bytes = nested(depth);
      registry.addManifest('team/app', depth === 7 ? 'v1' : 'x', { mediaType: OCI_INDEX, bytes });
    }
    assert.match(await refusal(engine, `${registry.host}/team/app:v1`), /unsupported|manifest/);
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
});

describe('a registry that does not end', () => {
  it('with redirects in a circle is left after a few', async () => {
    let asked = 0;
    await using server = await serverThat((request, response) => {
      asked++;
      response.writeHead(307, { location: `${request.url}x` }).end();
    });
    await using engine = await ImageEngine.start();
    assert.match(await refusal(engine, `${server.host}/team/app:v1`), /stopped after 10 redirects/);
    assert.ok(asked < 40, String(asked));
  });

  it('that redirects to something else than HTTP is refused', async () => {
    await using server = await serverThat((_, response) => {
      response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    });
    await using engine = await ImageEngine.start();
    assert.match(
      await refusal(engine, `${server.host}/team/app:v1`),
      /unsupported protocol scheme/,
    );
  });

  it('that says nothing is left after the time for it', async () => {
    await using server = await serverThat(() => undefined);
    const registry = {
      idleTimeoutMs: 200,
      retry: { attempts: 2, firstDelayMs: 1, longestDelayMs: 1 },
    };
    await using engine = await ImageEngine.start({ registry });
    assert.match(await refusal(engine, `${server.host}/team/app:v1`), /timeout/);
  });

  it('whose list of tags pages for ever is left', async () => {
    let pages = 0;
    const tags = Array.from({ length: 5000 }, (_, index) => `t${index}`);
    await using server = await serverThat((_, response) => {
      response.setHeader('link', `</v2/team/app/tags/list?last=${pages++}>; rel="next"`);
      response.end(JSON.stringify({ name: 'team/app', tags }));
    });
    await using engine = await ImageEngine.start();
    assert.match(await refusal(engine, `${server.host}/team/app`), /list of tags is larger/);
    assert.ok(pages < 50, String(pages));
  });
});

describe('a registry whose connections break', () => {
  const STEPS: Readonly<Record<string, RegExp>> = {
    'at the token': /^\/token$/,
    'at the manifest': /\/manifests\//,
    'at the config': new RegExp(`/blobs/${IMAGE.manifest.config.digest}`),
    'at a layer': new RegExp(`/blobs/${IMAGE.manifest.layers[1]?.digest}`),
  };
  for (const [step, path] of Object.entries(STEPS)) {
    it(`${step} once is asked again, and always is given up with nothing left`, async () => {
      await using registry = await StubRegistry.start();
      await using engine = await ImageEngine.start();
      registry.access.auth = 'bearer';
      registry.add('team/app', 'v1', IMAGE);
      registry.misbehave(path, { kind: 'break' }, 1000);
      assert.match(await refusal(engine, `${registry.host}/team/app:v1`), /EOF|reset|hang up/);
      assert.deepEqual(await engine.leftovers(), NOTHING);
      registry.behave();
      registry.misbehave(path, { kind: 'break' }, 1);
      const pulled = await engine.pull(`${registry.host}/team/app:v1`, {
        credentials: STUB_CREDENTIALS,
      });
      assert.equal(pulled.error, undefined);
    });
  }

  const PUSH_STEPS: Readonly<Record<string, RegExp>> = {
    'when a blob is looked for': /\/blobs\/sha256:/,
    'when a blob is sent': /\/blobs\/uploads\//,
    'when the manifest is sent': /\/manifests\//,
  };
  for (const [step, path] of Object.entries(PUSH_STEPS)) {
    it(`${step} once is told again, and always ends the push with the reason`, async () => {
      await using source = await StubRegistry.start();
      await using target = await StubRegistry.start();
      await using engine = await ImageEngine.start();
      source.add('team/app', 'v1', IMAGE);
      await engine.pull(`${source.host}/team/app:v1`);
      const copy = `${target.host}/team/copy`;
      await engine.images.tag(IMAGE.id, { repository: copy, tag: 'v1' });
      target.misbehave(path, { kind: 'break' }, 1000);
      const broken = await engine.push(`${copy}:v1`);
      assert.match(messageOf(broken.error), /EOF|reset|hang up/);
      target.behave();
      target.misbehave(path, { kind: 'break' }, 1);
      assert.equal((await engine.push(`${copy}:v1`)).error, undefined);
      await using other = await ImageEngine.start();
      assert.equal((await other.pull(`${copy}:v1`)).error, undefined);
      assert.equal((await other.images.inspect(IMAGE.id)).manifest.digest, IMAGE.digest);
    });
  }
});
