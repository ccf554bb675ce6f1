/** What every way to a registry must do. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ImageRegistry, Repository } from '../../src/distribution/image-registry.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { type ImageReference, parseReference } from '../../src/oci/reference.ts';
import { kindOf, messageOf } from '../../src/shared/errors.ts';
import { type OciImage, ociImage } from '../support/oci-image.ts';

/** A registry that holds one image, and how to get rid of it. */
export interface ImageRegistryFixture {
  readonly registry: ImageRegistry;
  /** `HOST/PATH` of the repository that the image is in, with tag `v1`. */
  readonly repository: string;
  dispose(): Promise<void>;
}

function parse(text: string): ImageReference {
  const parsed = parseReference(text);
  assert.ok(parsed.ok, text);
  return parsed.reference;
}

/** Runs the suite; `makeRegistry` is called for each test with the image to hold. */
export function testImageRegistryContract(
  name: string,
  makeRegistry: (image: OciImage) => Promise<ImageRegistryFixture>,
): void {
  describe(`${name} as an image registry`, () => {
    const image = ociImage({ layers: [{ file: 'content' }] });
    const signal = new AbortController().signal;
    let fixture: ImageRegistryFixture;
    let repository: Repository;
    beforeEach(async () => {
      fixture = await makeRegistry(image);
      repository = fixture.registry.repository(parse(`${fixture.repository}:v1`), undefined);
    });
    afterEach(() => fixture.dispose());

    it('gives a manifest by tag and by digest, with its type', async () => {
      for (const which of ['v1', image.digest]) {
        const fetched = await repository.fetchManifest(which, signal);
        assert.equal(fetched.digest, image.digest);
        assert.equal(fetched.mediaType, OCI_MANIFEST);
        assert.deepEqual(Buffer.from(fetched.bytes), image.manifestBytes);
      }
    });

    it('says in docker words that a manifest does not exist', async () => {
      const other = fixture.registry.repository(parse(`${fixture.repository}:v2`), undefined);
      const failure = await other.fetchManifest('v2', signal).catch((error: unknown) => error);
      assert.equal(kindOf(failure), 'not-found');
      assert.match(messageOf(failure), /^manifest for .*:v2 not found: manifest unknown/);
    });

    it('gives the bytes of a blob once and in order', async () => {
      const [layer] = image.manifest.layers;
      assert.ok(layer);
      const chunks: Uint8Array[] = [];
      for await (const chunk of repository.openBlob(layer, signal)) chunks.push(chunk);
      assert.equal(digestOf(Buffer.concat(chunks)), layer.digest);
      const rest: Uint8Array[] = [];
      for await (const chunk of repository.openBlob(layer, signal, 5)) rest.push(chunk);
      assert.ok(Buffer.concat(chunks).subarray(5).equals(Buffer.concat(rest)));
    });

    it('lists the tags of a repository', async () => {
      assert.deepEqual(await repository.listTags(signal), ['v1']);
    });

    it('takes an image, and gives it back as it was', async () => {
      const pushed = ociImage({ layers: [{ other: 'cargo' }] });
      const reference = parse(`${fixture.repository}:v2`);
      const target = fixture.registry.pushTarget(reference, undefined);
      for (const { digest, size } of [pushed.manifest.config, ...pushed.manifest.layers]) {
        assert.equal(await target.hasBlob(digest, signal), false);
        const open = (offset: number) =>
          Readable.from([pushed.blobs.get(digest)?.subarray(offset)]);
        assert.equal(await target.uploadBlob({ digest, size }, { open }, signal), 'uploaded');
        assert.equal(await target.hasBlob(digest, signal), true);
      }
      const manifest = { mediaType: OCI_MANIFEST, bytes: pushed.manifestBytes };
      await target.putManifest('v2', manifest, signal);
      assert.equal((await repository.fetchManifest('v2', signal)).digest, pushed.digest);
    });

    it('takes a blob over from another repository that has it', async () => {
      const [layer] = image.manifest.layers;
      assert.ok(layer);
      const reference = parse(`${fixture.repository}/other:v1`);
      const open = () => assert.fail('the bytes are there already');
      const source = { open, mountFrom: reference.path.replace('/other', '') };
      const target = fixture.registry.pushTarget(reference, undefined);
      assert.equal(await target.uploadBlob(layer, source, signal), 'mounted');
    });

    it('throws for a blob that is not there', async () => {
      const missing = { digest: digestOf('missing'), size: 7 };
      await assert.rejects(async () => {
        for await (const chunk of repository.openBlob(missing, signal)) assert.fail(String(chunk));
      });
    });
  });
}
