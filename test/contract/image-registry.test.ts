import { FakeRegistry } from '../../src/distribution/fake/fake-registry.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { testImageRegistryContract } from './image-registry.ts';

testImageRegistryContract('FakeRegistry', async (image) => {
  const registry = new FakeRegistry();
  for (const bytes of image.blobs.values()) registry.addBlob(bytes);
  const manifest = { mediaType: OCI_MANIFEST, bytes: image.manifestBytes };
  registry.addManifest('registry.example/team/app', 'v1', manifest);
  return {
    registry,
    repository: 'registry.example/team/app',
    dispose: async () => undefined,
  };
});
