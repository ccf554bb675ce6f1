/** The registry client: held to its contract, and against the distribution project's own registry. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { testImageRegistryContract } from '../contract/image-registry.ts';
import { requires } from '../support/capabilities.ts';
import { ImageEngine, makeRegistry } from '../support/image-engine.ts';
import { filesImage } from '../support/images.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { TestRegistry } from '../support/registry.ts';
import { StubRegistry } from '../support/stub-registry.ts';

testImageRegistryContract('OciRegistry', async (image) => {
  bringLoopbackUp();
  const stub = await StubRegistry.start();
  stub.add('team/app', 'v1', image);
  const registry = makeRegistry();
  return {
    registry,
    repository: `${stub.host}/team/app`,
    async dispose() {
      registry.close();
      await stub[Symbol.asyncDispose]();
    },
  };
});

describe('docker-registry', requires('docker-registry'), () => {
  it('gives an image by tag and by digest', async () => {
    bringLoopbackUp();
    await using registry = await TestRegistry.start();
    await using engine = await ImageEngine.start();
    const recipe = await filesImage('team/app:v1', { hello: 'hello', world: 'world' });
    const { reference, digest } = await registry.push(recipe);
    assert.equal((await engine.pull(reference)).error, undefined);
    const view = await engine.images.inspect(`${registry.host}/team/app@${digest}`);
    assert.equal(view.manifest.digest, digest);
    await engine.snapshots.prepareActive('c', view.layerChainIds.at(-1));
    const root = await engine.snapshots.mount('c');
    assert.equal(await readFile(join(root, 'world'), 'utf8'), 'world');
    await assert.rejects(engine.pull(`${registry.host}/team/app:v2`), /manifest unknown/);
  });
});
