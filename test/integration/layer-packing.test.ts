/** Layers in every packing that registries hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { ImageEngine, NOTHING } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { ociImage } from '../support/oci-image.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

for (const packing of ['none', 'gzip', 'zstd'] as const) {
  const needs = packing === 'zstd' ? requires('zstd') : {};
  test(`a pull takes layers packed by ${packing}`, needs, async () => {
    const files = { 'a/': '', 'a/b': `${packing} `.repeat(100_000) };
    const image = ociImage({ layers: [files, { second: 'layer' }], packing });
    await using registry = await StubRegistry.start();
    registry.add('team/app', 'v1', image);
    await using engine = await ImageEngine.start();
    const name = `${registry.host}/team/app:v1`;
    const { error } = await engine.pull(name);
    assert.equal(error, undefined);
    const { sizeBytes } = await engine.images.inspect(name);
    assert.equal(sizeBytes, files['a/b'].length + 'layer'.length);
    await engine.images.remove(name, { force: true, prune: true });
    assert.deepEqual(await engine.leftovers(), NOTHING);
  });
}
