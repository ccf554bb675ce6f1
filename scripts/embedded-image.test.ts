import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, type ImageRecipe, imageArchive, imageBlobs } from './image/image-archive.ts';
import { tarOf } from './image/tar-of.ts';

async function recipe(): Promise<ImageRecipe> {
  const content = Buffer.from('hello\n');
  const tar = await tarOf([{ kind: 'file', path: 'hello', mode: 0o644, content }], 0);
  const created = '2024-01-01T00:00:00.000Z';
  return { reference: 'a/b:1', created, config: {}, layers: [{ tar, createdBy: 'a test' }] };
}

test('the same recipe gives the same archive', async () => {
  const [first, second] = [await imageArchive(await recipe()), await imageArchive(await recipe())];
  assert.equal(digestOf(first), digestOf(second));
});

test('a manifest names its config and layers by their digests', async () => {
  const { manifest, config, layers } = imageBlobs(await recipe());
  const parsed = JSON.parse(manifest.bytes.toString());
  assert.equal(parsed.config.digest, digestOf(config.bytes));
  assert.deepEqual(
    parsed.layers.map(({ digest }: { digest: string }) => digest),
    layers.map(({ bytes }) => digestOf(bytes)),
  );
});
